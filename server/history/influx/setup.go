package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// Setup makes what the store needs and is not there, and says what it made, one line each:
//
//	1.8     CREATE DATABASE, CREATE RETENTION POLICY
//	2.x     the bucket, kept for ever, and the DBRP mapping by which InfluxQL finds it
//	3 Core  the database
//
// Doing it again changes nothing. Where everything is there no right to make it is needed.
func (s *Store) Setup(ctx context.Context) (made []string, err error) {
	is, err := s.flavour(ctx)
	if err != nil {
		return nil, err
	}
	if is != two && s.opts.Bucket != "" && s.opts.Bucket != s.opts.Database {
		return nil, fmt.Errorf("history/influx: set up: %w: bucket is a word of InfluxDB 2.x alone: remove history.bucket, or name the database by history.database",
			history.ErrConfiguration)
	}
	switch is {
	case one:
		made, err = s.setupOne(ctx)
	case two:
		made, err = s.setupTwo(ctx)
	case three, unknown:
		made, err = s.setupThree(ctx)
	}
	if err != nil {
		return made, fmt.Errorf("history/influx: set up %q: %w", s.bucket(), err)
	}
	return made, nil
}

// Promote makes this retention policy the one that those read who name none: dashboards. On 3 Core there is no such thing.
func (s *Store) Promote(ctx context.Context) error {
	is, err := s.flavour(ctx)
	switch {
	case err != nil || s.opts.Policy == "" || is == three:
		return err
	case is == one:
		err = s.run(ctx, "ALTER RETENTION POLICY "+identifier(s.opts.Policy)+" ON "+identifier(s.opts.Database)+" DEFAULT")
	default:
		err = s.promoteTwo(ctx)
	}
	if err != nil {
		return fmt.Errorf("history/influx: make %q the default: %w", s.bucket(), err)
	}
	return nil
}

// Place names what has to be dropped once another retention policy is the default one.
func (s *Store) Place(ctx context.Context) (string, error) {
	is, err := s.flavour(ctx)
	if err != nil || is != one || s.opts.Policy != "" {
		return s.opts.Policy, err
	}
	policies, err := s.policies(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range policies {
		if p.isDefault {
			return p.name, nil
		}
	}
	return "", fmt.Errorf("history/influx: %w: database %q has no default retention policy: ALTER RETENTION POLICY … DEFAULT", history.ErrConfiguration, s.opts.Database)
}

// ErrShared says that other programs' measurements lie beside ours.
var ErrShared = errors.New("there are measurements of other programs")

// Discard removes the retention policy, bucket or database with everything in it. What is not there is dropped already. Where there are measurements
// that are not this program's it drops nothing and returns ErrShared.
func (s *Store) Discard(ctx context.Context) error {
	is, err := s.flavour(ctx)
	if err != nil {
		return err
	}
	if is == one && s.opts.Policy == "" {
		return fmt.Errorf("history/influx: drop: the default retention policy is dropped by its name: see Place")
	}
	if err := s.onlyOurs(ctx); err != nil {
		return fmt.Errorf("history/influx: drop %q: %w", s.bucket(), err)
	}
	switch is {
	case one:
		err = s.run(ctx, "DROP RETENTION POLICY "+identifier(s.opts.Policy)+" ON "+identifier(s.opts.Database))
	case two:
		err = s.dropTwo(ctx)
	case three, unknown:
		_, err = s.call(ctx, http.MethodDelete, "/api/v3/configure/database", url.Values{"db": {s.bucket()}}, nil, nil)
	}
	if err != nil && !answered(err, http.StatusNotFound) {
		return fmt.Errorf("history/influx: drop %q: %w", s.bucket(), err)
	}
	return nil
}

// run runs one statement of which nothing is read.
func (s *Store) run(ctx context.Context, statement string) error {
	return s.query(ctx, http.MethodPost, []string{statement}, func(result) error { return nil })
}

func (s *Store) setupOne(ctx context.Context) (made []string, err error) {
	policies, err := s.policies(ctx)
	if errors.Is(err, errNoDatabase) {
		if err := s.run(ctx, "CREATE DATABASE "+identifier(s.opts.Database)); err != nil {
			return nil, err
		}
		made = append(made, fmt.Sprintf("database %q", s.opts.Database))
		policies, err = s.policies(ctx)
	}
	if err != nil || s.opts.Policy == "" {
		return made, err
	}
	for _, p := range policies {
		if p.name == s.opts.Policy {
			return made, nil
		}
	}
	if err := s.run(ctx, "CREATE RETENTION POLICY "+identifier(s.opts.Policy)+" ON "+identifier(s.opts.Database)+" DURATION INF REPLICATION 1"); err != nil {
		return made, err
	}
	return append(made, fmt.Sprintf("retention policy %q of database %q, kept for ever", s.opts.Policy, s.opts.Database)), nil
}

type policy struct {
	name      string
	isDefault bool
}

// errNoDatabase tells a missing database from everything else that only a person can mend.
var errNoDatabase = errors.New("no such database")

// policies lists the retention policies of the database, of 1.8.
func (s *Store) policies(ctx context.Context) (list []policy, err error) {
	var answer struct {
		Results []struct {
			Series []struct {
				Columns []string `json:"columns"`
				Values  [][]any  `json:"values"`
			} `json:"series"`
			Error string `json:"error"`
		} `json:"results"`
	}
	q := url.Values{"q": {"SHOW RETENTION POLICIES ON " + identifier(s.opts.Database)}}
	if _, err := s.call(ctx, http.MethodGet, "/query", q, nil, &answer); err != nil {
		return nil, err
	}
	for _, r := range answer.Results {
		if strings.Contains(r.Error, "database not found") {
			return nil, fmt.Errorf("%w: %w", errNoDatabase, s.queryFailed(r.Error))
		}
		if r.Error != "" {
			return nil, s.queryFailed(r.Error)
		}
		for _, one := range r.Series {
			for _, row := range one.Values {
				var p policy
				for i, v := range row[:min(len(row), len(one.Columns))] {
					switch one.Columns[i] {
					case "name":
						p.name, _ = v.(string)
					case "default":
						p.isDefault, _ = v.(bool)
					}
				}
				list = append(list, p)
			}
		}
	}
	return list, nil
}

func (s *Store) setupThree(ctx context.Context) (made []string, err error) {
	if name := s.bucket(); !databaseOfThree.MatchString(name) || len(name) > 64 {
		return nil, fmt.Errorf("%w: InfluxDB 3 takes no database of the name %q: letters, numbers, - and _, at most 64: set history.database", history.ErrConfiguration, name)
	}
	// Who may not list may not create either, and the first write makes a database, too.
	_, err = s.call(ctx, http.MethodPost, "/api/v3/configure/database", nil, map[string]string{"db": s.bucket()}, nil)
	switch {
	case answered(err, http.StatusConflict):
		return nil, nil // it is there
	case err != nil && (answered(err, http.StatusUnauthorized) || answered(err, http.StatusForbidden)):
		if s.run(ctx, "SHOW MEASUREMENTS") == nil {
			return nil, nil
		}
		return nil, err
	case err != nil:
		return nil, err
	}
	return []string{fmt.Sprintf("database %q", s.bucket())}, nil
}

// databaseOfThree is how InfluxDB 3 wants its databases named; one / divides database and retention policy.
var databaseOfThree = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9_-]+)?$`)

// measurements lists those that have points in this retention policy.
func (s *Store) measurements(ctx context.Context) ([]string, error) {
	is, err := s.flavour(ctx)
	if err != nil {
		return nil, err
	}
	if is == three {
		return s.names(ctx, "SHOW MEASUREMENTS")
	}
	return s.names(ctx, "SELECT * FROM /.*/ LIMIT 1") // SHOW MEASUREMENTS does not know retention policies
}

// onlyOurs looks for a measurement of somebody else.
func (s *Store) onlyOurs(ctx context.Context) error {
	names, err := s.measurements(ctx)
	if errors.Is(err, errNoDatabase) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		if !ours(name) {
			return fmt.Errorf("%w, such as %q: nothing is dropped; remove what is not needed by InfluxDB's own tools", ErrShared, name)
		}
	}
	return nil
}

// ours reports whether a measurement is one this program writes.
func ours(name string) bool {
	for _, q := range measure.Quantities() {
		if name == string(q) || name == string(q)+suffix(history.Hour) || name == string(q)+suffix(history.Day) {
			return true
		}
	}
	return name == judgedBy
}

// names lists the measurements that a statement answers with: as series of their own, or as the rows of SHOW MEASUREMENTS.
func (s *Store) names(ctx context.Context, q string) (names []string, err error) {
	var answer struct {
		Results []struct {
			Series []struct {
				Name   string  `json:"name"`
				Values [][]any `json:"values"`
			} `json:"series"`
			Error string `json:"error"`
		} `json:"results"`
	}
	form := url.Values{"q": {q}, "epoch": {"ms"}}
	if err := s.place(ctx, form); err != nil {
		return nil, err
	}
	if _, err := s.call(ctx, http.MethodGet, "/query", form, nil, &answer); answered(err, http.StatusNotFound) {
		return nil, errNoDatabase
	} else if err != nil {
		return nil, err
	}
	for _, r := range answer.Results {
		if strings.Contains(r.Error, "not found") {
			return nil, errNoDatabase
		}
		if r.Error != "" {
			return nil, s.queryFailed(r.Error)
		}
		for _, one := range r.Series {
			if one.Name != "measurements" {
				names = append(names, one.Name)
				continue
			}
			for _, row := range one.Values {
				if name, ok := row[len(row)-1].(string); ok {
					names = append(names, name)
				}
			}
		}
	}
	return names, nil
}
