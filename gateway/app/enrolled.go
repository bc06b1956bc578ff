package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"aovuon/gateway/doctor"
	"aovuon/gateway/wire"
	"aovuon/gateway/yamlfile"
)

// enrolledName is what an enrolment is written to, in the data folder, where the file has no server of its own: the service may not write
// the folder of its configuration, and that file is people's. FORMAT.md has it.
const enrolledName = "enrolled.yaml"

// enrolled reports whether a server is named: in the file, or by an enrolment.
func (c *Config) enrolled() bool { return c.src.Node("$.server") != nil }

// printEnrolled says whether this gateway is enrolled.
func printEnrolled(cfg *Config) error {
	if !cfg.enrolled() {
		return errors.New("app: not enrolled: the configuration names no server, and no claim was taken")
	}
	_, err := cfg.openSecrets()
	return err
}

// withEnrolled is a file with the server's block of enrolled.yaml, where it has none.
func withEnrolled(path string, raw []byte) ([]byte, error) {
	if topLevel(raw, "server") != nil {
		return raw, nil
	}
	dir, err := dataDirIn(path, raw)
	if err != nil {
		return raw, nil //nolint:nilerr // whoever reads all of it says where the mistake is
	}
	block, err := os.ReadFile(filepath.Join(dir, enrolledName))
	if errors.Is(err, fs.ErrNotExist) {
		return raw, nil
	}
	if err != nil {
		return nil, fmt.Errorf("app: enrolment: %w", err)
	}
	return withServer(raw, string(block)), nil
}

// dataDirIn is the data folder of a file, whatever else is wrong with it.
func dataDirIn(path string, raw []byte) (string, error) {
	cfg := Config{path: path}
	var keys struct {
		DataDir string `yaml:"data_dir"`
	}
	if line := topLevel(raw, "data_dir"); line != nil {
		if err := yamlfile.Decode(line, &keys); err != nil {
			return "", err
		}
	}
	cfg.DataDir = keys.DataDir
	cfg.resolve()
	return cfg.DataDir, nil
}

// topLevel is the first line of a key at the beginning of a line; nil when there is none.
func topLevel(raw []byte, key string) []byte {
	for line := range bytes.Lines(raw) {
		if bytes.HasPrefix(line, []byte(key+":")) {
			return line
		}
	}
	return nil
}

// writeServer writes the server's block: over the one in the file, else into enrolled.yaml.
func (c *Config) writeServer(raw []byte, block string) error {
	if topLevel(raw, "server") == nil {
		path := filepath.Join(c.DataDir, enrolledName)
		if err := wire.WriteFile(path, []byte(block), 0o644); err != nil {
			return fmt.Errorf("app: %w", err)
		}
		return c.giveToGateway()
	}
	info, err := os.Stat(c.path)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	if err := wire.WriteFile(c.path, withServer(raw, block), info.Mode().Perm()); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	if err := doctor.GiveTo(c.path, info); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	return nil
}

// giveToGateway gives what root made in the data folder to the user the folder belongs to: sudo gateway enrol would keep the gateway out.
func (c *Config) giveToGateway() error {
	if os.Getuid() != 0 {
		return nil
	}
	info, err := os.Stat(c.DataDir)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	files := []string{c.KeyFile, c.PasswordFile, c.Status.PINFile}
	for _, name := range []string{serverKeyName, serverCAName, certificateName, certKeyName, addressName, enrolledName} {
		files = append(files, filepath.Join(c.DataDir, name))
	}
	for _, name := range files {
		if err := doctor.GiveTo(name, info); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("app: %w", err)
		}
	}
	return nil
}

// withServer puts a block in the place of the top-level key server, or at the end. Every other line stays, also the empty ones and the
// comments between what was there and the next key.
func withServer(raw []byte, block string) []byte {
	var out, between bytes.Buffer
	inside, written := false, false
	for line := range bytes.Lines(raw) {
		empty := len(bytes.TrimSpace(line)) == 0
		switch {
		case !inside && (empty || !bytes.HasPrefix(line, []byte("server:"))):
			out.Write(line)
			continue
		case inside && (empty || line[0] == '#'):
			between.Write(line)
			continue
		case inside && (line[0] == ' ' || line[0] == '\t'):
			between.Reset() // it was a comment among the keys
			continue
		}
		out.Write(between.Bytes())
		between.Reset()
		if inside = bytes.HasPrefix(line, []byte("server:")); !inside {
			out.Write(line)
		} else if !written {
			out.WriteString(block)
			written = true
		}
	}
	out.Write(between.Bytes())
	if !written {
		if b := out.Bytes(); len(b) > 0 && b[len(b)-1] != '\n' {
			out.WriteByte('\n')
		}
		out.WriteString(block)
	}
	return out.Bytes()
}
