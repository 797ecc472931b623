package compile

import (
	"bytes"
	"debug/elf"
	"fmt"
)

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// Check reports why the binary would not start where there is nothing beside
// it: no loader, no library, a processor of that architecture.
func Check(binary []byte, arch string) error {
	want, ok := machines[arch]
	if !ok {
		return fmt.Errorf("architecture %q: want arm64 or amd64", arch)
	}
	file, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("binary: %w", err)
	}
	if file.Machine != want {
		return fmt.Errorf("binary is for %s, want %s", file.Machine, want)
	}
	if file.Type != elf.ET_EXEC {
		return fmt.Errorf("binary is of type %s, want %s, which needs nobody to place it", file.Type, elf.ET_EXEC)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
			return fmt.Errorf("binary has a segment %s: it asks for a loader, which neither image nor function has; does a package use cgo?", segment.Type)
		}
	}
	return nil
}
