package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/witness"
)

type witnessCmd struct {
	Init witnessInitCmd `cmd:"" help:"Make a witness's key; prints the key that policies name."`
	Run  witnessRunCmd  `cmd:"" help:"Cosign heads of logs that extend what was seen before; refuse a rewritten past."`
}

type witnessInitCmd struct {
	Dir  string `default:"witness" help:"Folder of the witness: its key, and the heads it saw." type:"path"`
	Name string `required:"" help:"Name of the key, such as a host name of yours."`
}

func witnessKey(dir string) string { return filepath.Join(dir, "witness.key") }

// Run makes the key. Doing it again changes nothing.
func (cmd *witnessInitCmd) Run(e *env) error {
	if err := os.MkdirAll(cmd.Dir, 0o700); err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	vkey, err := wire.CreateKey(witnessKey(cmd.Dir), cmd.Name)
	if err != nil {
		return err
	}
	if vkey, err = cosign.VKeyToCosignatureV1(vkey); err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	return e.printf("%s\n", vkey)
}

type witnessRunCmd struct {
	Dir    string   `default:"witness" help:"Folder that server witness init made." type:"path"`
	Listen string   `default:"127.0.0.1:7070" help:"Where to listen (HTTP; put TLS in front of it outside your own network)."`
	Log    []string `required:"" help:"Public key of a log to watch (its /ledger/key), or a file with one; may be given again."`
}

// Run answers until SIGINT or SIGTERM.
func (cmd *witnessRunCmd) Run(e *env) (err error) {
	raw, err := os.ReadFile(witnessKey(cmd.Dir))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no key %s: make it with server witness init --dir %s", witnessKey(cmd.Dir), cmd.Dir)
	}
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	signer, err := cosign.NewSignerForCosignatureV1(strings.TrimSpace(string(raw)))
	if err != nil {
		return fmt.Errorf("witness: key file %s: %w", witnessKey(cmd.Dir), err)
	}
	var logs []note.Verifier
	for _, text := range cmd.Log {
		v, err := logVerifier(text)
		if err != nil {
			return err
		}
		logs = append(logs, v)
	}
	release, err := lockData(cmd.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	file, err := witness.OpenFile(filepath.Join(cmd.Dir, "heads.json"))
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(e.ctx, "tcp", cmd.Listen)
	if err != nil {
		return fmt.Errorf("witness: %w: choose another --listen", err)
	}
	srv := &http.Server{Handler: witness.Handler(witness.New(file, signer, logs...), e.log), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(e.ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), 2*time.Second)
		defer cancel()
		if err := srv.Shutdown(last); err != nil {
			e.log.Warn("witness stops hard")
		}
	})
	defer stop()
	if err := e.printf("witness %s listens on http://%s\n", signer.Name(), l.Addr()); err != nil {
		return err
	}
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("witness: %w", err)
	}
	return nil
}

// logVerifier reads a log's public key, given as itself or as a file.
func logVerifier(text string) (note.Verifier, error) {
	if v, err := note.NewVerifier(text); err == nil {
		return v, nil
	}
	v, err := wire.LoadVerifier(text)
	if err != nil {
		return nil, fmt.Errorf("--log %s: neither a public key (name+hash+base64) nor a file with one: %w", text, err)
	}
	return v, nil
}
