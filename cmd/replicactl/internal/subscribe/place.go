package subscribe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Apply writes the subscriber: everything, or after an error nothing. It makes
// each of the new directories aside, beside its place, and then moves them
// there; a process that is killed in between leaves whole directories or hidden
// ones, and never a go.work that names something that is not there.
func (p *Plan) Apply() (err error) {
	var undo []func() error
	defer func() {
		for i := len(undo) - 1; err != nil && i >= 0; i-- {
			err = errors.Join(err, undo[i]())
		}
	}()
	staged := make(map[string]string) // by place
	for _, f := range p.Files {
		place := p.place(f.Path)
		if staged[place] == "" {
			made, err := makeParents(filepath.Dir(p.workspace.at(place)))
			undo = append(undo, made...)
			if err != nil {
				return fmt.Errorf("make room for %s: %w", place, err)
			}
			aside, err := os.MkdirTemp(filepath.Dir(p.workspace.at(place)), "."+path.Base(place)+"-")
			if err != nil {
				return fmt.Errorf("make room for %s: %w", place, err)
			}
			undo = append(undo, func() error { return os.RemoveAll(aside) })
			staged[place] = aside
		}
		if err := write(filepath.Join(staged[place], filepath.FromSlash(strings.TrimPrefix(f.Path, place+"/"))), f.Content); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	for place, aside := range staged {
		if err := os.Chmod(aside, 0o755); err != nil { // MkdirTemp's are private
			return fmt.Errorf("write %s: %w", place, err)
		}
		if err := os.Rename(aside, p.workspace.at(place)); err != nil { // never onto a directory, not even an empty one
			return fmt.Errorf("write %s: %w", place, err)
		}
		undo = append(undo, func() error { return os.RemoveAll(p.workspace.at(place)) })
	}
	if err := p.addToWork(); err != nil {
		return fmt.Errorf("add to %s: %w", workFile, err)
	}
	return nil
}

// place returns the directory, of those that are moved as a whole, that a file
// is in.
func (p *Plan) place(file string) string {
	depth := strings.Count(services, "/") + 2
	if strings.HasPrefix(file, roots+"/") {
		depth = strings.Count(roots, "/") + 2
	}
	return strings.Join(strings.Split(file, "/")[:depth], "/")
}

// makeParents makes a directory and those above it that are missing, and
// returns what unmakes them, where nothing is in them.
func makeParents(dir string) (undo []func() error, err error) {
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil {
			break
		} else if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		missing = append(missing, at)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := os.Mkdir(missing[i], 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return undo, err
		}
		undo = append(undo, func() error { return os.Remove(missing[i]) })
	}
	return undo, nil
}

func write(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o644)
}

// addToWork replaces go.work, unless somebody has changed it meanwhile.
func (p *Plan) addToWork() error {
	name := p.workspace.at(workFile)
	now, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, p.workspace.text) {
		return errors.New("it was changed meanwhile; run this again")
	}
	about, err := os.Stat(name)
	if err != nil {
		return err
	}
	aside, err := os.CreateTemp(p.workspace.Root, "."+workFile+"-")
	if err != nil {
		return err
	}
	_, err = aside.Write(p.Work)
	if err = errors.Join(err, aside.Chmod(about.Mode().Perm()), aside.Close()); err == nil {
		err = os.Rename(aside.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(aside.Name()))
	}
	return nil
}
