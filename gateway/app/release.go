package app

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/spool"
	"aovuon/gateway/update"
	"aovuon/gateway/wire"
)

type versionCmd struct {
	JSON bool `help:"Print it as JSON."`
}

// releaseCmd is for the maker of the program.
type releaseCmd struct {
	Key  releaseKeyCmd  `cmd:"" help:"Make the maker's key, once, and print the public half, which is also written beside it as FILE.vkey. Keep the key off every server."`
	Sign releaseSignCmd `cmd:"" help:"Sign programs: PROGRAM.release is written beside each."`
	Show releaseShowCmd `cmd:"" help:"Check a release and say what is in it."`
}

type releaseKeyCmd struct {
	File string `arg:"" help:"Where the key is, or is to be."`
}

type releaseSignCmd struct {
	Programs []string `arg:"" name:"program" help:"Program files, one for each kind of machine."`
	Key      string   `required:"" help:"The maker's key file."`
	Version  string   `required:"" help:"Their version, as gateway version prints it."`
	Platform string   `help:"GOOS/GOARCH of a program that does not say so itself: linux/arm64."`
	From     string   `help:"The least version it may be put in the place of."`
	Spool    int      `help:"The format its spool file is written in; the one of this program unless said."`
	Days     int      `default:"400" help:"How long it may be installed."`
}

type releaseShowCmd struct {
	File string `arg:"" help:"A release, FILE.release."`
	Key  string `required:"" help:"File with the maker's verifier key."`
}

func (cmd *releaseCmd) do(command string, stdout io.Writer) error {
	switch command {
	case "release key <file>":
		vkey, err := update.CreateKey(cmd.Key.File)
		if err != nil {
			return fmt.Errorf("app: %w", err)
		}
		_, err = fmt.Fprintln(stdout, vkey)
		return err
	case "release sign <program>":
		return cmd.Sign.run(time.Now(), stdout)
	}
	return cmd.Show.run(stdout)
}

func (cmd *releaseSignCmd) run(now time.Time, stdout io.Writer) error {
	signer, _, err := wire.LoadKey(cmd.Key)
	if err != nil {
		return fmt.Errorf("app: %w (gateway release key FILE makes one)", err)
	}
	if cmd.Days < 1 || cmd.Days > 4000 {
		return fmt.Errorf("app: --days %d: from 1 to 4000", cmd.Days)
	}
	if cmd.Spool == 0 {
		cmd.Spool = spool.Format
	}
	for _, path := range cmd.Programs {
		r, err := update.Sign(path, wire.Release{
			Version: wire.Version(cmd.Version), Platform: cmd.Platform, From: wire.Version(cmd.From), Spool: cmd.Spool,
			Made: now, Until: now.AddDate(0, 0, cmd.Days),
		}, signer)
		if err != nil {
			return fmt.Errorf("app: %w", err)
		}
		if _, err := fmt.Fprintf(stdout, "%s.release: version %s for %s, until %s\n", path, r.Version, r.Platform, r.Until.Format(time.DateOnly)); err != nil {
			return err
		}
	}
	return nil
}

func (cmd *releaseShowCmd) run(stdout io.Writer) error {
	raw, err := os.ReadFile(cmd.File)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	keys, err := update.Keys(cmd.Key)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	r, err := wire.OpenRelease(raw, keys)
	if err != nil {
		return fmt.Errorf("app: %s: %w", cmd.File, err)
	}
	_, err = fmt.Fprintf(stdout, "signed by %s\nversion %s for %s\nsize %d\nsha256 %x\nfrom %s\nspool format %d\nmade %s\nuntil %s\n", signerOf(keys), r.Version, r.Platform,
		r.Size, r.SHA256, named(string(r.From)), r.Spool, r.Made.Format(time.RFC3339), r.Until.Format(time.RFC3339))
	return err
}

func signerOf(keys []note.Verifier) string { return keys[0].Name() }
