package story

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

// boot and epoch of what a forger makes up.
const (
	forgedBoot  = "00112233445566778899aabbccddeeff"
	forgedEpoch = "0123456789abcdef"
)

// forger is one who has the files of an enrolled gateway (FOLDER of its key, password and spool) and does what no gateway of
// ours does.
type forger struct {
	id     string // of the gateway whose files he has
	signer note.Signer
	secret string
	topic  string // where he publishes
}

const forgeUsage = "forge CONFIG WHAT [VICTIM-CONFIG]"

// forge publishes one message as the gateway of a configuration file, on a connection of its own.
func forge(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, forgeUsage)
	f, data, err := readForger(ts, args[0])
	ts.Check(err)
	victim, victimData := f, data
	if len(args) > 2 {
		victim, victimData, err = readForger(ts, args[2])
		ts.Check(err)
	}
	var message []byte
	switch what := args[1]; what {
	case "wrong-password":
		f.secret = "sai mật khẩu"
		c.refused(ts, f)
		return
	case "nobody":
		f.id = "nobody"
		c.refused(ts, f)
		return
	case "shut-out":
		c.refused(ts, f)
		return
	case "listen":
		_, err := c.sealedBatch(ts, victimData)
		ts.Check(err)
		return
	case "stolen", "stolen-topic":
		message, err = c.sealedBatch(ts, victimData)
		ts.Check(err)
		if what == "stolen-topic" {
			f.topic = wire.Topic(victim.id, wire.LeafBatch)
		}
	default:
		message, err = f.message(what, c.o.Now().UTC().Truncate(time.Millisecond))
		ts.Check(err)
	}
	c.publish(ts, f, message)
}

func readForger(ts *testscript.TestScript, config string) (f forger, data string, err error) {
	var known struct {
		Gateway string `yaml:"gateway"`
		DataDir string `yaml:"data_dir"`
	}
	if err := yaml.Unmarshal([]byte(ts.ReadFile(config)), &known); err != nil {
		return f, "", fmt.Errorf("%s: %w", config, err)
	}
	data = ts.MkAbs(known.DataDir)
	f = forger{id: known.Gateway, topic: wire.Topic(known.Gateway, wire.LeafBatch)}
	if f.signer, _, err = wire.LoadKey(filepath.Join(data, "gateway.key")); err != nil {
		return f, "", err
	}
	secret, err := os.ReadFile(filepath.Join(data, "mqtt.secret"))
	f.secret = strings.TrimSpace(string(secret))
	return f, data, err
}

// message makes what a forger sends. Its chain begins with `first` and goes on with `second`, which are good.
func (f forger) message(what string, at time.Time) ([]byte, error) {
	first, err := f.seal(1, wire.Hash{}, 7, at.Truncate(time.Hour))
	if err != nil {
		return nil, err
	}
	second, err := f.seal(2, wire.HashOf(first), 7.1, at.Truncate(time.Hour))
	if err != nil {
		return nil, err
	}
	switch what {
	case "first":
		return first, nil
	case "second":
		return second, nil
	case "wrong-key":
		secret, _, err := note.GenerateKey(nil, f.id)
		if err != nil {
			return nil, err
		}
		if f.signer, err = note.NewSigner(secret); err != nil {
			return nil, err
		}
		return f.seal(3, wire.HashOf(second), 7, at)
	case "altered":
		good, err := f.seal(3, wire.HashOf(second), 7.25, at)
		return bytes.Replace(good, []byte("7.25"), []byte("7.35"), 1), err
	case "reused-number":
		return f.seal(2, wire.HashOf(first), 9, at)
	case "broken-chain":
		return f.seal(3, wire.HashOf(first), 7, at)
	case "cut-short":
		return second[:40], nil
	case "garbage":
		return bytes.Repeat([]byte{0xff, 0x00, 0x0a}, 5000), nil
	case "deep":
		return note.Sign(&note.Note{Text: "aovuon/batch/1\n" + f.id + "\n" + forgedEpoch + " 3\n" + wire.HashOf(second).String() +
			"\nsynced " + forgedBoot + "\n" + strings.Repeat("[", 25_000) + strings.Repeat("]", 25_000) + "\n"}, f.signer)
	case "huge":
		return bytes.Repeat([]byte("a"), 1<<20), nil
	}
	return nil, fmt.Errorf("forge: no %q: want wrong-password, nobody, shut-out, listen, first, second, wrong-key, altered, reused-number, broken-chain, cut-short, garbage, deep, huge, stolen, stolen-topic", what)
}

func (f forger) seal(seq uint64, prev wire.Hash, value float64, at time.Time) ([]byte, error) {
	return wire.Seal(&wire.Batch{
		Gateway: f.id, Epoch: forgedEpoch, Seq: seq, Prev: prev, Clock: measure.Synced, Boot: forgedBoot,
		Readings: []measure.Reading{{
			Sensor: "gia", Quantity: measure.PH, Value: value, Time: measure.Instant{Wall: at, Clock: measure.Synced, Boot: forgedBoot},
		}},
	}, f.signer)
}

// connect names itself by the gateway's id; client ids are the names of gateways.
func (f forger) connect(ts *testscript.TestScript) (mqtt.Client, error) {
	o := mqtt.NewClientOptions().AddBroker("tcp://127.0.0.1:" + ts.Getenv("MQTT")).SetClientID(f.id).SetUsername(f.id).SetPassword(f.secret).
		SetAutoReconnect(false).SetConnectTimeout(Patience)
	client := mqtt.NewClient(o)
	token := client.Connect()
	if !token.WaitTimeout(Patience) {
		return nil, errors.New("MQTT connect: no answer")
	}
	return client, token.Error()
}

// refused wants the broker not to let him in: at once, or, after he was retired, within a second or two.
func (c *cast) refused(ts *testscript.TestScript, f forger) {
	c.await(ts, Patience, f.id+" to be shut out", func(context.Context) (bool, string) {
		client, err := f.connect(ts)
		if err == nil {
			client.Disconnect(0)
		}
		return err != nil, "let in"
	})
}

// publish hands a message to the broker and waits until the broker has taken it, or has thrown us out. A server that was
// just told of a gateway may need a second to know it.
func (c *cast) publish(ts *testscript.TestScript, f forger, message []byte) {
	var client mqtt.Client
	c.await(ts, Patience, f.id+" to be let in", func(context.Context) (bool, string) {
		var err error
		client, err = f.connect(ts)
		return err == nil, fmt.Sprint(err)
	})
	token := client.Publish(f.topic, 1, false, message)
	c.await(ts, Patience, "the broker's answer", func(context.Context) (bool, string) {
		return token.WaitTimeout(time.Millisecond) || !client.IsConnectionOpen(), "none"
	})
	client.Disconnect(100)
}

// sealedBatch returns a whole batch of a gateway, as anybody could have it who listened on the line or had its memory card:
// the oldest that waits in its spool, read from a copy.
func (c *cast) sealedBatch(ts *testscript.TestScript, data string) (_ []byte, err error) {
	kept := filepath.Join(data, "stolen-batch")
	if raw, err := os.ReadFile(kept); err == nil {
		return raw, nil
	}
	copied := ts.MkAbs(".tmp")
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(filepath.Join(data, "spool.db"+suffix))
		if errors.Is(err, fs.ErrNotExist) && suffix != "" {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(copied, "spool.db"+suffix), raw, 0o600)
		}
		if err != nil {
			return nil, err
		}
	}
	sp, _, err := spool.Open(c.ctx, filepath.Join(copied, "spool.db"), c.o.Now)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sp.Close()) }()
	st, err := sp.Stats(c.ctx)
	if err != nil {
		return nil, err
	}
	batches, err := sp.After(c.ctx, sp.Epoch(), max(st.FirstSeq, 1)-1, 1)
	if err == nil && len(batches) == 0 {
		err = errors.New("forge: no batch waits in the spool: steal one while the server is away")
	}
	if err != nil {
		return nil, err
	}
	return batches[0].Body, os.WriteFile(kept, batches[0].Body, 0o600)
}
