package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// settingsFile is a file of NAME=value lines as shells, Docker and systemd read
// them. What is set is written at once, whole, and readable by its owner only.
type settingsFile struct {
	path  string
	lines []string
}

// readSettings reads the file, if it is there, and makes sure that it can be
// written before anything is done that must be remembered.
func readSettings(path string) (*settingsFile, error) {
	f := &settingsFile{path: path}
	raw, err := os.ReadFile(path) //nolint:gosec // the file the operator named
	switch {
	case err == nil:
		if text := strings.TrimRight(string(raw), "\n"); text != "" {
			f.lines = strings.Split(text, "\n")
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, usage("--env-file: %w", err)
	}
	probe, err := os.CreateTemp(filepath.Dir(path), ".primum-*")
	if err != nil {
		return nil, usage("--env-file: the folder cannot be written to: %w", err)
	}
	return f, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// get is the value of a name, "" if it is not set.
func (f *settingsFile) get(name string) string {
	for _, line := range f.lines {
		if k, v, ok := setting(line); ok && k == name {
			return v
		}
	}
	return ""
}

// setting reads one line.
func setting(line string) (name, value string, ok bool) {
	line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
	name, value, ok = strings.Cut(line, "=")
	if !ok || strings.HasPrefix(line, "#") {
		return "", "", false
	}
	value = strings.TrimSpace(value)
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		value = value[1 : n-1]
	}
	return strings.TrimSpace(name), value, true
}

// set sets a name; another value that is there is changed only by force.
func (f *settingsFile) set(name, value string, force bool) error {
	for i, line := range f.lines {
		k, v, ok := setting(line)
		switch {
		case !ok || k != name:
			continue
		case v == value:
			return nil
		case v != "" && !force:
			return fmt.Errorf("%s has another %s; take --force to change it, or another --env-file", f.path, name)
		}
		f.lines[i] = name + "=" + value
		return f.write()
	}
	f.lines = append(f.lines, name+"="+value)
	return f.write()
}

func (f *settingsFile) write() error {
	return writePrivate(f.path, []byte(strings.Join(f.lines, "\n")+"\n"))
}

// writePrivate puts a file in place whole, readable by its owner only.
func writePrivate(path string, content []byte) error {
	t, err := os.CreateTemp(filepath.Dir(path), ".primum-*") // 0600 from the start
	if err != nil {
		return err
	}
	_, err = t.Write(content)
	if err = errors.Join(err, t.Sync(), t.Close()); err == nil {
		err = os.Rename(t.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(t.Name()))
	}
	return nil
}

// environ is an environment with the file's settings beneath it.
func (f *settingsFile) environ(over []string) []string {
	var all []string
	for _, line := range f.lines {
		if k, v, ok := setting(line); ok {
			all = append(all, k+"="+v)
		}
	}
	return append(all, over...)
}
