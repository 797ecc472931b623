package compile

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"
)

// object is the least ELF file: a header and one segment.
func object(t *testing.T, machine elf.Machine, of elf.Type, segment elf.ProgType) []byte {
	t.Helper()
	header := elf.Header64{
		Type: uint16(of), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64,
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	var out bytes.Buffer
	for _, part := range []any{header, elf.Prog64{Type: uint32(segment)}} {
		if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		binary []byte
		arch   string
		want   string // in the error; none if empty
	}{
		"takes a static arm64 binary":      {object(t, elf.EM_AARCH64, elf.ET_EXEC, elf.PT_LOAD), "arm64", ""},
		"takes a static amd64 binary":      {object(t, elf.EM_X86_64, elf.ET_EXEC, elf.PT_LOAD), "amd64", ""},
		"refuses another machine":          {object(t, elf.EM_X86_64, elf.ET_EXEC, elf.PT_LOAD), "arm64", "EM_X86_64, want EM_AARCH64"},
		"refuses one that wants a loader":  {object(t, elf.EM_AARCH64, elf.ET_EXEC, elf.PT_INTERP), "arm64", "PT_INTERP"},
		"refuses one that wants libraries": {object(t, elf.EM_AARCH64, elf.ET_EXEC, elf.PT_DYNAMIC), "arm64", "PT_DYNAMIC"},
		"refuses a library":                {object(t, elf.EM_AARCH64, elf.ET_DYN, elf.PT_LOAD), "arm64", "ET_DYN"},
		"refuses what is no binary":        {[]byte("#!/bin/sh\necho a script\n"), "arm64", "bad magic number"},
		"refuses other architectures":      {nil, "riscv64", "want arm64 or amd64"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(test.binary, test.arch)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
