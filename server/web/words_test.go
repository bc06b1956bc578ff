package web_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/hardware/boards"
	"aovuon/server/account"
	"aovuon/server/book"
	"aovuon/server/calibration"
	"aovuon/server/diary"
	intake "aovuon/server/diary/desk"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ingest"
	"aovuon/server/label"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
	"aovuon/server/setup"
	"aovuon/server/sheet"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/portal"
	"aovuon/server/trace/printjob"
	"aovuon/server/trace/scan"
	"aovuon/server/watch/advice"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/blight"
	"aovuon/server/watch/bulletin"
	"aovuon/server/watch/dawn"
	"aovuon/server/watch/drying"
	"aovuon/server/watch/outbreak"
	"aovuon/server/watch/rule"
	"aovuon/server/watch/soil"
	"aovuon/server/web"
)

func texts(t *testing.T, lang string) map[string]string {
	t.Helper()
	parts, err := filepath.Glob("locales/" + lang + ".*yaml")
	if err != nil || len(parts) == 0 {
		t.Fatal(parts, err)
	}
	out := map[string]string{}
	for _, part := range parts {
		raw, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]string
		if err := yaml.UnmarshalWithOptions(raw, &texts, yaml.Strict()); err != nil {
			t.Fatal(part, err)
		}
		maps.Copy(out, texts)
	}
	return out
}

// asked are the keys that templates and code ask for: those written out, and those put together from what can happen.
func asked(t *testing.T) []string {
	t.Helper()
	var out []string
	for pattern, key := range map[string]*regexp.Regexp{
		"templates/*.html": regexp.MustCompile(`(?:\bt|amount) "([a-z0-9._-]+)"`),
		"*.go":             regexp.MustCompile(`(?:\.t|\.amount|missing)\((?:r, [^"]*)?"([a-z0-9._-]+[a-z0-9])"`),
	} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			for _, m := range key.FindAllStringSubmatch(string(raw), -1) {
				out = append(out, m[1])
			}
		}
	}
	for _, k := range trace.RefKinds() {
		out = append(out, "kin.kind."+string(k))
	}
	for _, r := range []string{"ingest", "web", "project"} {
		out = append(out, "process.role."+r)
	}
	for _, l := range []string{"history", "settings", "calibrations", "alarms", "messages", "ledger", "lots", "backup", "intakes", "home-assistant"} { // those of server/app
		out = append(out, "process.lease."+l)
	}
	out = append(out, "nav.trace", "nav.recall", "recall.head", "recall.head.over", "recall.head.drill", "recall.head.drill.over", "recall.why", "recall.none", "recall.over", "missing.recall")
	for _, why := range web.Reasons() {
		out = append(out, "recall.reason."+why)
	}
	for _, c := range setup.Codes() {
		out = append(out, "install.wrong."+c)
	}
	for _, c := range setup.FindingCodes() {
		out = append(out, "install.found."+c)
	}
	for _, g := range []setup.Grade{setup.Fine, setup.Note, setup.Warn, setup.Bad} {
		out = append(out, "install.grade."+string(g))
	}
	for _, s := range []string{"coop", "address", "check", "admin", "backup"} {
		out = append(out, "install.step."+s)
	}
	for _, s := range []string{"second", "backup", "place", "gateway", "seen", "mount", "people", "cards", "contacts"} {
		out = append(out, "start."+s, "start."+s+".help", "start."+s+".go")
	}
	for _, v := range trace.Verdicts() {
		out = append(out, "verdict."+string(v), "verdict."+string(v)+".why")
	}
	for _, s := range trace.ItemStates() {
		out = append(out, "item."+string(s))
	}
	for _, k := range []trace.GoodsKind{trace.Pack, trace.Ship, trace.Receive, trace.Issue, trace.Recall, trace.EndRecall} {
		out = append(out, "stage.goods."+string(k))
	}
	for _, step := range []string{trace.StepProcess, trace.StepDry, trace.StepGrade, trace.StepSplit, trace.StepMerge} {
		out = append(out, "stage.step."+step)
	}
	for _, k := range append(farm.Kinds(), "received") {
		for _, key := range []string{"label.from", "label.stocked", "label.harvested", "label.days", "label.demo", "label.water", "label.water.pending", "label.treated", "stage.begun", "stage.harvested"} {
			out = append(out, key+"."+string(k))
		}
	}
	for _, k := range scan.ReportKinds() {
		out = append(out, "report.what."+k)
	}
	for _, c := range boards.Classes() {
		out = append(out, "build.class."+c)
	}
	for _, shelf := range []string{"build", "calibration"} {
		out = append(out, "help."+shelf, "help."+shelf+".what")
	}
	out = append(out, "missing.label", "mark.probe", "mark.person", "mark.lab", "mark.unsigned", "public.box.some.go", "public.box.some.wait", "public.box.some.stop")
	out = append(out, "gate."+intake.RuleInput, "lot.of")
	out = append(out, portal.Keys()...)
	for _, law := range portal.Laws() {
		out = append(out, "portal."+string(law))
	}
	for _, st := range portal.States() {
		out = append(out, "portal.state."+string(st))
	}
	for _, kind := range portal.StageKinds() {
		out = append(out, "portal.stage."+kind)
	}
	out = append(out, portal.Words()...)
	for _, c := range sheet.Codes() {
		out = append(out, "problem.sheet."+string(c))
	}
	for _, c := range sheet.FileCodes() {
		out = append(out, "problem.sheet.file."+string(c))
	}
	for _, f := range label.Faults() {
		out = append(out, "print.fault."+string(f))
	}
	for _, l := range label.Languages() {
		out = append(out, "print.printer."+string(l))
	}
	out = append(out, "print.dpi", "print.w", "print.h", "print.x", "print.y", "print.n", "print.gap", "print.start", "print.slots", "nav.labels", "print.file.old", "print.file.barred", "print.packs", "print.times", "print.run.plain", "print.run.serials")
	for _, c := range printjob.Codes() {
		out = append(out, "print.refused."+string(c))
	}
	for _, k := range printjob.LineKinds() {
		if k != printjob.LineThing {
			out = append(out, "print.line."+string(k))
		}
	}
	for _, k := range []trace.RefKind{trace.RefLot, trace.RefItem, trace.RefBox} {
		out = append(out, "print.line.thing."+string(k))
	}
	for _, r := range printjob.Reasons() {
		out = append(out, "print.why."+string(r), "print.again.why."+string(r))
	}
	for _, i := range trace.ItemStates() {
		out = append(out, "print.item."+string(i))
	}
	for _, s := range []trace.State{trace.Growing, trace.Harvested, trace.Held, trace.Recalled, trace.Closed, trace.Void} {
		out = append(out, "print.state."+string(s))
	}
	for _, c := range intake.Codes() {
		out = append(out, "problem.diary."+c)
	}
	for _, q := range measure.Quantities() {
		out = append(out, "quantity."+string(q))
	}
	for q := range measure.Fault {
		out = append(out, "quality."+q.String())
	}
	for _, r := range measure.FaultReasons() {
		out = append(out, "fault."+string(r))
	}
	for c := measure.Synced; c <= measure.Unsynced; c++ {
		out = append(out, "clock."+c.String())
	}
	for _, r := range ingest.Reasons() {
		out = append(out, "reason."+string(r))
	}
	for _, f := range trace.Faults() {
		out = append(out, "malformed."+string(f))
	}
	for _, r := range trace.GapReasons() {
		out = append(out, "gap."+string(r))
	}
	for _, state := range wire.SettingsStates() {
		out = append(out, "settings."+string(state))
	}
	for _, state := range wire.ProgramStates() {
		out = append(out, "program."+string(state))
	}
	for _, code := range wire.ProgramCodes() {
		out = append(out, "program.why."+code)
	}
	for _, code := range []string{wire.CodeCrash, wire.CodeHang, wire.CodeMute, wire.CodeBlind, wire.CodeStopped, wire.CodeDisk, wire.CodeExpired} {
		out = append(out, "program.next."+code)
	}
	for _, q := range []measure.Quantity{measure.AeratorCommand, measure.AeratorRunning, measure.AlarmState, measure.UnderVoltage, measure.LinkUp} {
		out = append(out, "yes."+string(q), "no."+string(q))
	}
	for _, f := range privacy.Fields() {
		out = append(out, "privacy.field."+f.ID)
	}
	for _, a := range privacy.Audiences() {
		out = append(out, "privacy.to."+string(a))
	}
	for _, k := range privacy.Retention() {
		out = append(out, "privacy.kept."+k.ID, "privacy.until."+string(k.Until))
	}
	for _, r := range gate.Rules() {
		out = append(out, "gate."+string(r))
	}
	out = append(out, "gate.input_lot") // of the desk
	for _, l := range []string{"fine", "noted", "warned", "danger"} {
		out = append(out, "gate.level."+l)
	}
	for _, way := range []string{"low", "high"} {
		out = append(out, "limit."+way, "state.warned."+way, "state.danger."+way, "limits.warn."+way, "limits.crit."+way)
	}
	for _, v := range calibration.Verdicts() {
		out = append(out, "calibration.verdict."+string(v))
	}
	for _, v := range calibration.Standings() {
		out = append(out, "calibration.standing."+string(v))
	}
	for _, m := range calibration.Methods() {
		out = append(out, "calibration.method."+m)
	}
	for _, m := range calibration.Steps() {
		out = append(out, "calibration.step."+m)
	}
	for _, k := range ledger.Kinds() {
		out = append(out, "leaf."+string(k))
	}
	for _, r := range account.Roles() {
		out = append(out, "role."+string(r), "role."+string(r)+".what")
	}
	for _, k := range diary.Kinds() {
		out = append(out, "diary."+k.Name)
		out = append(out, fieldWords(k.Fields)...)
	}
	out = append(out, web.FormWords()...)
	out = append(out, goodsWords()...)
	out = append(out, blightWords()...)
	out = append(out, notifyWords()...)
	out = append(out, "why.outdated") // what the rules say: each package of server/watch lists its own, Words()
	out = append(out, alarm.Words()...)
	out = append(out, dawn.Words()...)
	out = append(out, advice.Words()...)
	for _, v := range []rule.Verdict{rule.Calm, rule.Notice, rule.Warn, rule.Crit, rule.Unknown} {
		out = append(out, "dawn.verdict."+string(v))
	}
	out = append(out, "nav.forecast")
	for _, st := range []alarm.State{alarm.Normal, alarm.Pending, alarm.Firing, alarm.Recovering, alarm.NoData, alarm.Blind} {
		out = append(out, "alarm."+string(st), "alarm.to."+string(st))
	}
	for _, what := range []string{alarm.Raised, alarm.Acked, alarm.Muted, alarm.Unmuted} {
		out = append(out, "alarm.did."+what)
	}
	out = append(out, "alarm.refused.choose", "alarm.level.warn", "alarm.level.crit")
	out = append(out, "field.limit_clear.help", "field.limit_for.help", "field.limit_keep.help")
	out = append(out, soil.Words()...)
	out = append(out, drying.Words()...)
	out = append(out, waterWords()...)
	for _, r := range scan.Rules() {
		out = append(out, "scan.rule."+string(r), "scan.found."+string(r), "scan.todo."+string(r))
	}
	for _, v := range scan.Verdicts() {
		out = append(out, "scan.decided."+string(v))
	}
	out = append(out, bookWords(t)...)
	out = append(out, dashWords()...)
	for prefix, names := range map[string]string{
		"data.": "time quantity unit gateway sensor value quality min mean max n out faults signed", "period.wrong.": "form future order long", "chart.limit.": "warn crit",
		"readings.wrong.": "format quantity place nothing busy",
		"unit.":           "d h min months", "option.unit.": strings.Join(farm.Units(), " "),
		"nav.group.": "now work goods office",
		"theme.":     "auto light dark sun", "bounds.set.": "freshwater catra", "zone.": "unsaid long ends overlap",
		"nav.":     "readings home alarms farm lots scans diary book system cards users trail ledger account gates help",
		"problem.": "refused code cloned passkey slow last many proof plain host late short common named taken lastadmin bound typed pin wrongpin shut link notfarmer login name person none",
		"what.":    "added person disabled enabled reset password rehash link codes recovery sessions-ended card-made card-bound card-revoked pin-set pin-dropped erased marked passkey-added passkey-removed passkey-cloned sealed recovery-new",
	} {
		for name := range strings.FieldsSeq(names) {
			out = append(out, prefix+name)
		}
	}
	out = append(out, fieldWords(slices.Concat(farm.PlaceFields(), farm.LimitFields()))...)
	out = append(out, "field.outline.help", "field.field_capacity.help", "field.wilting_point.help")
	for _, k := range farm.RecordKinds() {
		out = append(out, fieldWords(k.Fields())...)
		out = append(out, "record."+string(k), "record."+string(k)+".many", "record."+string(k)+".what")
	}
	return append(out, "actor.server", "actor.operator", "projection.calibrations", "range.24h", "range.7d", "range.30d", "range.season", "projection.history", "projection.live", "projection.ingest", "projection.settings")
}

// blightWords are what late blight asks for.
func blightWords() []string {
	out := append(blight.Words(), "nav.blight", "nav.pests", "nav.bulletin")
	out = append(out, outbreak.Words()...)
	for _, v := range []rule.Verdict{rule.Calm, rule.Notice, rule.Warn, rule.Unknown} {
		out = append(out, "blight.word."+string(v))
	}
	for i, topic := range bulletin.Topics() {
		out = append(out, "bulletin.topic."+topic, fmt.Sprint("bulletin.nth.", i+1))
	}
	for _, v := range bulletin.Verdicts() {
		out = append(out, "bulletin.verdict."+string(v))
	}
	for _, part := range []string{"morning", "noon", "afternoon", "evening"} {
		out = append(out, "bulletin.part."+part)
	}
	for _, k := range farm.Kinds() {
		out = append(out, "bulletin.more."+string(k), "bulletin.places."+string(k))
	}
	for _, v := range []rule.Verdict{rule.Calm, rule.Notice, rule.Warn, rule.Crit, rule.Unknown} {
		out = append(out, "note.verdict."+string(v))
	}
	for _, r := range blight.Risks() {
		out = append(out, "blight.risk."+string(r))
	}
	for _, p := range []blight.Period{blight.NoPeriod, blight.NearMiss, blight.SmithPeriod, blight.MetosPeriod, blight.UnknownSmith} {
		out = append(out, "blight.smith."+string(p))
	}
	return append(out, "blight.week.none", "blight.week.warning", "blight.week.seven", "blight.week.five", "blight.spray."+blight.OtherPest, "blight.spray."+blight.OtherActives)
}

// goodsWords are what the pages of lots ask for.
func goodsWords() (out []string) {
	for _, c := range flow.Codes() {
		out = append(out, "problem.goods."+string(c))
	}
	for _, k := range flow.LineKinds() {
		out = append(out, "goods.line."+string(k))
	}
	for _, k := range trace.GoodsKinds() {
		out = append(out, "goods."+string(k))
	}
	for _, s := range trace.ItemStates() {
		out = append(out, "lot.item."+string(s), "lot.box."+string(s))
	}
	for name, fields := range web.Deeds() {
		out = append(out, "goods."+name, "goods."+name+".what")
		out = append(out, fieldWords(fields)...)
	}
	return append(out, "goods.void.what", "field.items.help", "field.done_at.help")
}

// bookWords are what record books ask for.
func bookWords(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../book/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no record books: %v", err)
	}
	out := []string{"book.amount.stock_in", "book.amount.stock_count", "book.cert.valid", "book.cert.early", "book.cert.over"}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(book\.[a-z._-]+[a-z])"`).FindAllStringSubmatch(string(raw), -1) {
			out = append(out, m[1])
		}
	}
	for _, s := range book.Standards() {
		out = append(out, "book.standard."+string(s))
	}
	for _, c := range book.Chapters() {
		out = append(out, "book.chapter."+c)
	}
	for _, l := range []string{"growing", "harvested", "held", "released", "shipped", "recalled", "closed", "void"} {
		out = append(out, "book.lot."+l, "lot.state."+l, "lots.group."+l)
	}
	for _, l := range []string{"block", "warn", "note"} {
		out = append(out, "book.level."+l)
	}
	return out
}

// fieldWords are what a form of fields asks for.
func fieldWords(fields []form.Field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, "field."+f.Key)
		for _, o := range f.Options {
			out = append(out, "option."+f.Key+"."+o)
		}
	}
	return out
}

func TestLocales_HaveTheSameKeysAndEachIsUsed(t *testing.T) {
	vi, en := texts(t, "vi"), texts(t, "en")
	known := asked(t)
	for _, key := range known {
		if vi[key] == "" {
			t.Errorf("vi.yaml: no %s", key)
		}
		if en[key] == "" {
			t.Errorf("en.yaml: no %s", key)
		}
	}
	for lang, pair := range map[string][2]map[string]string{"vi": {vi, en}, "en": {en, vi}} {
		for key, text := range pair[0] {
			plain := strings.TrimSuffix(key, ".one")
			if !slices.Contains(known, plain) {
				t.Errorf("%s.yaml: nobody asks for %s", lang, key)
			}
			other, ok := pair[1][plain]
			if !ok || strings.Count(text, "%s") != strings.Count(other, "%s") {
				t.Errorf("%s.yaml: %s does not match the other language: %q, %q", lang, key, text, other)
			}
			if strings.TrimSpace(text) != text || text == "" {
				t.Errorf("%s.yaml: %s is %q", lang, key, text)
			}
		}
	}
}

// No page shows a key instead of a text.
func TestPages_ShowNoKeys(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	vi := texts(t, "vi")
	for name, path := range paths(s) {
		for _, lang := range []string{"vi", "en"} {
			body := string(get(t, srv, withLang(path, lang), nil).body)
			for key := range vi {
				if strings.Contains(key, ".") && strings.Contains(body, ">"+key) {
					t.Errorf("%s in %s shows %s", name, lang, key)
				}
			}
			if strings.Contains(body, "%s") || strings.Contains(body, "%!") || strings.Contains(body, "NaN") {
				t.Errorf("%s in %s has a hole in a text", name, lang)
			}
		}
	}
}

func TestPages_WriteNumbersAndDatesAsPeopleDo(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	path := s.demo.Lot.Link().Path()
	for lang, want := range map[string][]string{
		"vi": {"1.850\u00a0kg", "4.200\u00a0m²", "23/11/2026", "134 ngày", "21,2\u00a0%", "24/11/2026 07:37"},
		"en": {"1,850\u00a0kg", "4,200\u00a0m²", "23/11/2026", "134 days", "21.2\u00a0%", "24/11/2026 07:37"},
	} {
		body := string(get(t, srv, withLang(path, lang), nil).body)
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %q", lang, w)
			}
		}
	}
}

// waterWords are the keys that the board asks for by what it finds.
func waterWords() (out []string) {
	for _, topic := range []string{soil.Irrigation, soil.Drought, soil.Waterlogging} {
		for _, v := range []rule.Verdict{rule.Calm, rule.Notice, rule.Warn, rule.Crit, rule.Unknown} {
			if topic == soil.Irrigation && v.Alarming() || topic == soil.Waterlogging && v == rule.Crit { // never made
				continue
			}
			out = append(out, "water.say."+topic+"."+string(v))
		}
	}
	for _, mark := range []string{"wilts", "trigger", "full", "drowns"} {
		out = append(out, "water.bar."+mark)
	}
	return append(out, "nav.water", "capacity.holds", "capacity.holds.estimated")
}
