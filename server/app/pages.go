package app

import (
	"context"
	"errors"
	"io"
	"time"

	"aovuon/server/audit"
	"aovuon/server/intake"
	"aovuon/server/setup"
	"aovuon/server/trace"
	"aovuon/server/trace/recall"
	"aovuon/server/web"
)

// pages returns what people see.
func pages(d deps) (*web.Server, error) {
	proxies, err := d.config.Access.proxies()
	if err != nil {
		return nil, err
	}
	var ca *web.CA
	if a := d.authority; a != nil && d.config.TLS.LAN {
		ca = &web.CA{PEM: a.PEM(), DER: a.DER(), Fingerprint: a.Fingerprint()}
	}
	var dries web.Drying
	if d.drying != nil {
		dries = d.drying
	}
	var ground web.Soil
	if d.soil != nil {
		ground = d.soil
	}
	var scans web.Scans // a nil pointer in it would not be nil
	if d.scans != nil {
		scans = d.scans
	}
	var foretold web.Dawn
	if d.dawn != nil {
		foretold = d.dawn
	}
	return web.New(web.Options{
		Blight: blightDesk{d.blight, assessor(d)},
		Dawn:   foretold,
		Scans:  scans, ScanDesk: d.db, Reports: d.db, ScanDays: d.config.Trace.Scan.KeepDays,
		CA: ca, HSTS: realName(d.config.publicHost()),
		Accounts: d.accounts, Trail: d.db, BackupDays: d.config.backupDays(), OpenPages: d.config.Access.Pages == "open", Proxies: proxies,
		Farm: d.db, Lots: d.db, Packed: d.db, Names: d.db, GLN: d.config.Trace.GLN, EPCIS: storyteller(d.config, d.db), Captures: d.db, People: d.db, Calibrations: d.db, Ledger: d.db, LogKey: d.logKey, Evidence: d.db, OpenBatches: d.config.Ledger.Batches == "open", Gates: assessor(d), Standings: d.db.DiaryLots, Book: d.db, Registrar: d.db, Desk: entries{d.desk}, Goods: goods{d.db, d.goods}, Recall: recall.New(d.db, d.db, d.goods, d.now), Shelf: d.config.shelf(d.db), Live: d.live, Board: d.board, Soil: ground, Drying: dries, Notify: d.told, Alarms: d.alarms, Looked: d.looked, History: d.history, PublicURL: d.config.PublicURL, Now: d.now, Log: d.log, Stuck: d.stuck, Done: d.done,
		Printer: newPrinter(d),
		Watched: d.watched,
		Claims:  claims(d),
		Phone:   d.phone,
		Backups: d.backups, SameDisk: func(dir string) bool { return setup.SameDisk(d.config.DataDir, dir) },
		PushKey: d.pushKey,
		Bundle: func(ctx context.Context, path string, w io.Writer) error {
			err := audit.WriteBundle(ctx, d.db, path, d.logKey.VKey, w)
			if errors.Is(err, audit.ErrNoSeal) {
				err = errors.Join(trace.ErrUnknown, err)
			}
			return err
		},
		System: func(ctx context.Context) (web.System, error) {
			s, err := d.system(ctx)
			if err != nil {
				return web.System{}, err
			}
			return shown(d.config, s, d.now()), nil
		},
		Batches: lastBatches(d.db),
		Unknown: func(ctx context.Context, source string) (out []web.UnknownDevice, err error) {
			list, err := d.db.Unknown(ctx, source)
			for _, x := range list {
				out = append(out, web.UnknownDevice{Device: x.Device, Value: x.Value, N: x.N, Last: x.Last, Sample: x.Sample, Snippet: intake.Line(x)})
			}
			return out, err
		},
	})
}

// shown turns what the server knows of itself into what its page shows.
func shown(c Config, s System, now time.Time) web.System {
	out := web.System{
		Started: s.Started, Version: s.Version, Database: c.Database.Driver, History: c.History.Engine, Broker: s.Broker.Address,
		BrokerDown: !s.Broker.Connected, LogEnd: s.LogEnd,
	}
	if s.Backup != nil {
		out.Backup = shownBackup(*s.Backup, now)
	}
	if r := s.Rollups; r != nil {
		out.Rollups = &web.Rollups{Waiting: r.Waiting, Trouble: r.Trouble, Looked: r.Looked, Stays: r.Stays, Dropped: r.Dropped}
		for _, k := range r.Kept {
			out.Rollups.Kept = append(out.Rollups.Kept, web.KeptReadings{Quantity: string(k.Quantity), Months: k.For.Months, Days: k.For.Days, Before: k.Before, Needed: k.Needed})
		}
	}
	for _, p := range s.Projections {
		out.Projections = append(out.Projections, web.Projection{Name: p.Name, Position: p.Position, Behind: p.Behind, Err: p.Err, Undated: p.Undated})
	}
	for _, p := range s.Processes {
		out.Processes = append(out.Processes, web.Process(p))
	}
	for _, g := range s.Gateways {
		out.Gateways = append(out.Gateways, web.Gateway{
			ID: g.ID, State: g.State, Since: g.StateTime, Seen: g.Seen, Clock: g.Clock, Seq: g.Seq, Refused: g.Refused, Retired: g.Retired, Kind: g.Kind,
			Settings: web.Settings{State: g.Report.State, Version: g.Report.Version, Wanted: g.Wanted, Why: g.Report.Why, Kept: g.Report.Kept}, Program: g.Report.Program,
		})
	}
	for _, r := range s.Refusals {
		out.Refusals = append(out.Refusals, web.Refusal{Gateway: r.Gateway, Reason: r.Reason, Count: r.Count, First: r.First, Last: r.Last})
	}
	for _, c := range s.Unkept {
		out.Unkept = append(out.Unkept, web.Unkept{Gateway: c.Gateway, Count: c.Points, Last: c.Last})
	}
	for _, p := range s.UnkeptLast {
		out.UnkeptLast = append(out.UnkeptLast, web.UnkeptReading{
			Gateway: p.Gateway, Sensor: p.Sensor, Quantity: p.Quantity, Time: p.Time, Value: p.Value, Quality: p.Quality, Reason: p.Reason, At: p.At,
		})
	}
	for _, r := range s.Samples {
		out.Samples = append(out.Samples, web.Sample{Gateway: r.Gateway, Reason: r.Reason, Detail: r.Detail, Received: r.Received, Size: r.Size})
	}
	return out
}
