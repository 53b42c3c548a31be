// Command witness checks a C2SP tlog-tiles directory, or signed notes, with nothing but the
// packages of Go's checksum database.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const usage = `usage: witness <tiles directory> <vkey>...
       witness note <file> <vkey>...
       witness checkpoints <file of concatenated notes> <vkey>...`

func main() {
	count, err := check(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ok", count)
}

// check gives the size of the tree, or the number of notes.
func check(words []string) (int64, error) {
	switch {
	case len(words) > 2 && words[0] == "note":
		data, err := os.ReadFile(words[1])
		if err != nil {
			return 0, err
		}
		_, err = open(string(data), words[2:])
		return 1, err
	case len(words) > 2 && words[0] == "checkpoints":
		return checkNotes(words[1], words[2:])
	case len(words) > 1 && words[0] != "note" && words[0] != "checkpoints":
		return checkTiles(tiles(words[0]), words[1:])
	}
	return 0, errors.New(usage)
}

func checkNotes(path string, vkeys []string) (int64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	notes := split(string(data))
	if len(notes) == 0 {
		return 0, fmt.Errorf("%s: no note", path)
	}
	for at, message := range notes {
		text, err := open(message, vkeys)
		if err == nil {
			_, err = parseTree(text)
		}
		if err != nil {
			return 0, fmt.Errorf("note %d: %w", at, err)
		}
	}
	return int64(len(notes)), nil
}

// split cuts concatenated notes: one ends where a line that is no signature follows one that is.
func split(data string) (notes []string) {
	signed := true
	for _, line := range strings.SplitAfter(data, "\n") {
		if line == "" {
			break
		}
		isSignature := strings.HasPrefix(line, "— ")
		if len(notes) == 0 || signed && !isSignature {
			notes = append(notes, "")
		}
		notes[len(notes)-1] += line
		signed = isSignature
	}
	return notes
}

// open gives the text of a note that at least one of the keys signed, and none signed wrongly.
func open(message string, vkeys []string) (string, error) {
	var known []note.Verifier
	for _, vkey := range vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return "", fmt.Errorf("%s: %w", vkey, err)
		}
		known = append(known, verifier)
	}
	opened, err := note.Open([]byte(message), note.VerifierList(known...))
	if err != nil {
		return "", err
	}
	return opened.Text, nil
}
