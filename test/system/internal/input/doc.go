// Package input reads the demo's data files, examples/sp500 or others of the
// same form: one JSON object a line.
//
// It promises that whatever it returns was read whole and is well formed, and
// that every line it refuses is named as file:line with what is wrong. It does
// not promise that the services take every value: their own limits (lengths,
// numbers of tickers) are theirs to check.
package input

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxLineBytes bounds one line; a real one has a few hundred bytes.
const maxLineBytes = 1 << 20

// maxProblems bounds what is reported of one file, and of one line in it, so
// that a file of another form altogether does not scroll everything else away.
const maxProblems = 20

// Place is where a row was read.
type Place struct {
	File string
	Line int // from 1
}

// String returns file:line.
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// ProfileChanges reads a file of profile changes. The error lists the
// malformed lines, at most 20 of them, and how many more there are.
func ProfileChanges(path string) ([]ProfileChange, error) {
	rows, err := readFile(path, parseProfileChange)
	if err == nil && len(rows) == 0 {
		return nil, fmt.Errorf("%s: there is no row in it; want one profile change a line", path)
	}
	return rows, err
}

// Statistics reads a file of statistics, which may be empty. The error is as
// ProfileChanges's.
func Statistics(path string) ([]Statistic, error) { return readFile(path, parseStatistic) }

func readFile[T any](path string, parse func(Place, []byte) (T, error)) (rows []T, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return readLines(path, f, parse)
}

func readLines[T any](name string, r io.Reader, parse func(Place, []byte) (T, error)) ([]T, error) {
	var rows []T
	var problems []error
	more := 0
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLineBytes)
	at := Place{File: name}
	for lines.Scan() {
		at.Line++
		row, err := parse(at, lines.Bytes())
		switch {
		case err == nil:
			rows = append(rows, row)
		case len(problems) < maxProblems:
			problems = append(problems, fmt.Errorf("%s: %s", at, strings.ReplaceAll(err.Error(), "\n", "; ")))
		default:
			more++
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		at.Line++
		problems = append(problems, fmt.Errorf("%s: the line has more than %d bytes", at, maxLineBytes))
	} else if err != nil {
		problems = append(problems, fmt.Errorf("read input %s after line %d: %w", name, at.Line, err))
	}
	if more > 0 {
		problems = append(problems, fmt.Errorf("%s: %d more lines are malformed", name, more))
	}
	return rows, errors.Join(problems...)
}
