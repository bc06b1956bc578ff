package influx_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"aovuon/server/parttest"
)

// imitation answers as the documentation and the source of InfluxDB 2.x or 3 Core say these do, refuses what they refuse, and keeps its points in
// a real InfluxDB 1.8, one database for each bucket: so the whole contract runs through the API of the other two.
type imitation struct {
	*httptest.Server
	t      testing.TB
	back   *httputil.ReverseProxy
	behind *parttest.InfluxdServer
	token  string

	mu       sync.Mutex
	buckets  map[string]string // id → name; of 3 Core: name → name
	mappings map[string]dbrp   // by id
	defaults map[string]string // database → id of a mapping
	made     int
}

type dbrp struct {
	ID       string `json:"id"`
	Database string `json:"database"`
	Policy   string `json:"retention_policy"`
	Bucket   string `json:"bucketID"`
	Org      string `json:"orgID"`
	Default  bool   `json:"default"`
	Virtual  bool   `json:"virtual"`
}

const (
	orgName = "htx Phú Khê"
	orgID   = "05c9a5b5c0a1e000"
)

func imitate(t testing.TB, three bool) *imitation {
	t.Helper()
	d := parttest.Influxd(t)
	at, err := url.Parse(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	m := &imitation{
		t: t, behind: d, token: "t0ken", back: httputil.NewSingleHostReverseProxy(at),
		buckets: map[string]string{}, mappings: map[string]dbrp{}, defaults: map[string]string{},
	}
	mux := http.NewServeMux()
	if three {
		m.three(mux)
	} else {
		m.two(mux)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("asked for what there is not: %s %s", r.Method, r.URL)
		m.say(w, http.StatusNotFound, "not found", "path not found")
	})
	m.back.ModifyResponse = func(r *http.Response) error {
		for k := range r.Header {
			if strings.HasPrefix(k, "X-") {
				r.Header.Del(k)
			}
		}
		return m.refusal(r, three)
	}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		version := "v2.7.12"
		if three {
			version = "3.4.1"
		}
		w.Header().Set("X-Influxdb-Version", version)
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		bearer := strings.HasPrefix(r.URL.Path, "/api/v3/")
		if token != m.token || (bearer && scheme != "Bearer") || (!bearer && scheme != "Token") {
			m.say(w, http.StatusUnauthorized, "unauthorized", "unauthorized access")
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		m.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // the proxy's
	})
	return m
}

// say answers with both ways of naming an error.
func (m *imitation) say(w http.ResponseWriter, status int, code, message string) {
	m.json(w, status, map[string]string{"code": code, "message": message})
}

func (m *imitation) json(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		m.t.Error(err)
	}
}

func (m *imitation) read(r *http.Request, v any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil || r.Header.Get("Content-Type") != "application/json" {
		m.t.Errorf("%s %s: %v, %q", r.Method, r.URL, err, r.Header.Get("Content-Type"))
		return false
	}
	return true
}

// behindOf names the database behind a bucket; a stroke would be a retention policy there.
func behindOf(id string) string { return "b " + strings.ReplaceAll(id, "/", " of ") }

// store makes the database behind a bucket.
func (m *imitation) store(id string) { m.behind.Query(`CREATE DATABASE "` + behindOf(id) + `"`) }

// forward hands a write or a query on to the database behind a bucket.
func (m *imitation) forward(w http.ResponseWriter, r *http.Request, path, id string) {
	r.Header.Del("Authorization")
	q := r.URL.Query()
	q.Set("db", behindOf(id))
	q.Del("rp")
	q.Set("bucket", behindOf(id))
	r.URL.Path, r.URL.RawQuery = path, q.Encode()
	m.back.ServeHTTP(w, r)
}

// refusal words what 1.8 refuses as the other two do.
func (m *imitation) refusal(r *http.Response, three bool) error {
	if r.Request.URL.Path != "/write" || r.StatusCode != http.StatusBadRequest {
		return nil
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	var e struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return err
	}
	body := any(map[string]any{"code": "invalid", "message": e.Error})
	switch {
	case three:
		body = map[string]any{"error": "partial write of line protocol occurred", "data": []map[string]any{{"original_line": "…", "line_number": 1, "error_message": e.Error}}}
	case strings.Contains(e.Error, "partial write"):
		r.StatusCode, body = http.StatusUnprocessableEntity, map[string]any{"code": "unprocessable entity", "message": "failure writing points to database: " + e.Error}
	}
	if raw, err = json.Marshal(body); err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Del("Content-Length")
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	return nil
}

// two is InfluxDB 2.x: organisation, buckets, and dbrp/service.go's rules of mappings.
func (m *imitation) two(mux *http.ServeMux) {
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /api/v2/orgs", func(w http.ResponseWriter, r *http.Request) {
		if name := r.URL.Query().Get("org"); name != orgName {
			m.say(w, http.StatusNotFound, "not found", fmt.Sprintf("organization name %q not found", name))
			return
		}
		m.json(w, http.StatusOK, map[string]any{"orgs": []map[string]string{{"id": orgID, "name": orgName}}})
	})
	mux.HandleFunc("GET /api/v2/buckets", func(w http.ResponseWriter, r *http.Request) {
		list := []map[string]string{}
		for id, name := range m.buckets {
			if name == r.URL.Query().Get("name") && r.URL.Query().Get("orgID") == orgID {
				list = append(list, map[string]string{"id": id, "name": name, "orgID": orgID})
			}
		}
		m.json(w, http.StatusOK, map[string]any{"buckets": list})
	})
	mux.HandleFunc("POST /api/v2/buckets", m.postBucket)
	mux.HandleFunc("DELETE /api/v2/buckets/{id}", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := m.buckets[r.PathValue("id")]; !ok {
			m.say(w, http.StatusNotFound, "not found", "bucket not found")
			return
		}
		delete(m.buckets, r.PathValue("id"))
		w.WriteHeader(http.StatusNoContent)
	})
	m.dbrps(mux)
	mux.HandleFunc("POST /api/v2/write", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("org") != orgName {
			m.say(w, http.StatusNotFound, "not found", fmt.Sprintf("organization name %q not found", q.Get("org")))
			return
		}
		for id, name := range m.buckets {
			if name == q.Get("bucket") {
				m.forward(w, r, "/write", id)
				return
			}
		}
		m.say(w, http.StatusNotFound, "not found", fmt.Sprintf("bucket %q not found", q.Get("bucket")))
	})
	mux.HandleFunc("/query", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		id, ok := m.mapped(q.Get("db"), q.Get("rp"))
		if !ok {
			m.say(w, http.StatusNotFound, "not found", "no dbrp mapping found")
			return
		}
		m.forward(w, r, "/query", id)
	})
}

func (m *imitation) postBucket(w http.ResponseWriter, r *http.Request) {
	var in struct {
		OrgID       string `json:"orgID"`
		Name        string `json:"name"`
		Description string `json:"description"`
		Rules       *[]any `json:"retentionRules"`
	}
	if !m.read(r, &in) || in.OrgID != orgID || in.Name == "" || strings.HasPrefix(in.Name, "_") || in.Rules == nil {
		m.say(w, http.StatusBadRequest, "invalid", "bad bucket")
		return
	}
	for _, name := range m.buckets {
		if name == in.Name {
			m.say(w, http.StatusUnprocessableEntity, "conflict", "bucket with name "+name+" already exists")
			return
		}
	}
	m.made++
	id := fmt.Sprintf("%016x", m.made)
	m.buckets[id] = in.Name
	m.store(id)
	m.json(w, http.StatusCreated, map[string]string{"id": id, "orgID": orgID, "name": in.Name})
}

// mapped finds the bucket of a database and retention policy: a real mapping, or the one that a bucket's name makes.
func (m *imitation) mapped(database, policy string) (bucket string, ok bool) {
	for id, d := range m.mappings {
		if d.Database == database && (d.Policy == policy || (policy == "" && m.defaults[database] == id)) {
			_, ok := m.buckets[d.Bucket]
			return d.Bucket, ok
		}
	}
	for id, name := range m.buckets {
		if name == database && (policy == "" || policy == "autogen") || name == database+"/"+policy {
			return id, true
		}
	}
	return "", false
}

func (m *imitation) dbrps(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v2/dbrps", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("orgID") != orgID {
			m.say(w, http.StatusBadRequest, "invalid", "invalid org ID")
			return
		}
		list := []dbrp{}
		for id, d := range m.mappings {
			if db := r.URL.Query().Get("db"); db == "" || d.Database == db {
				d.Default = m.defaults[d.Database] == id
				list = append(list, d)
			}
		}
		for id, name := range m.buckets { // the virtual ones
			db, rp, two := strings.Cut(name, "/")
			if !two {
				rp = "autogen"
			}
			list = append(list, dbrp{ID: id, Database: db, Policy: rp, Bucket: id, Org: orgID, Default: true, Virtual: true})
		}
		m.json(w, http.StatusOK, map[string]any{"content": list})
	})
	mux.HandleFunc("POST /api/v2/dbrps", func(w http.ResponseWriter, r *http.Request) {
		var d dbrp
		if !m.read(r, &d) || d.Org != orgID || d.Database == "" || d.Policy == "" || m.buckets[d.Bucket] == "" {
			m.say(w, http.StatusBadRequest, "invalid", "bad dbrp")
			return
		}
		for _, have := range m.mappings {
			if have.Database == d.Database && have.Policy == d.Policy {
				m.say(w, http.StatusUnprocessableEntity, "conflict", "another DBRP mapping with same orgID, db, and rp exists")
				return
			}
		}
		m.made++
		d.ID = fmt.Sprintf("%016x", m.made)
		m.mappings[d.ID] = d
		if d.Default || m.defaults[d.Database] == "" {
			m.defaults[d.Database] = d.ID
		}
		m.json(w, http.StatusCreated, d)
	})
	mux.HandleFunc("PATCH /api/v2/dbrps/{id}", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Default *bool `json:"default"`
		}
		d, ok := m.mappings[r.PathValue("id")]
		if !ok || !m.read(r, &in) || r.URL.Query().Get("orgID") != orgID {
			m.say(w, http.StatusNotFound, "not found", "unable to find DBRP")
			return
		}
		if in.Default != nil && *in.Default {
			m.defaults[d.Database] = d.ID
		}
		m.json(w, http.StatusOK, map[string]any{"content": d})
	})
	mux.HandleFunc("DELETE /api/v2/dbrps/{id}", func(w http.ResponseWriter, r *http.Request) {
		d := m.mappings[r.PathValue("id")]
		delete(m.mappings, d.ID)
		if m.defaults[d.Database] == d.ID {
			delete(m.defaults, d.Database)
			for id, other := range m.mappings {
				if other.Database == d.Database {
					m.defaults[d.Database] = id
				}
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// databasesOfCore is how many databases 3 Core holds.
const databasesOfCore = 5

// three is InfluxDB 3 Core: databases by name, one statement a query, no way to delete points.
func (m *imitation) three(mux *http.ServeMux) {
	valid := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_/-]{0,63}$`)
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Del("X-Influxdb-Version") // older ones say it in the body alone
		m.json(w, http.StatusOK, map[string]string{"version": "3.4.1", "revision": "abc"})
	})
	mux.HandleFunc("POST /api/v3/configure/database", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			DB string `json:"db"`
		}
		switch {
		case !m.read(r, &in) || !valid.MatchString(in.DB):
			m.json(w, http.StatusBadRequest, map[string]string{"error": "invalid database name"})
		case m.buckets[in.DB] != "":
			m.json(w, http.StatusConflict, map[string]string{"error": "attempted to create a resource that already exists"})
		case len(m.buckets) == databasesOfCore:
			m.json(w, http.StatusUnprocessableEntity, map[string]string{"error": "Adding a new database would exceed limit of 5 databases"})
		default:
			m.buckets[in.DB] = in.DB
			m.store(in.DB)
			w.WriteHeader(http.StatusOK)
		}
	})
	mux.HandleFunc("DELETE /api/v3/configure/database", func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("db")
		if m.buckets[name] == "" {
			m.json(w, http.StatusNotFound, map[string]string{"error": "the requested resource was not found"})
			return
		}
		delete(m.buckets, name)
		m.behind.Query(`DROP DATABASE "` + behindOf(name) + `"`)
		w.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("POST /api/v2/write", func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("bucket")
		if !valid.MatchString(name) || r.URL.Query().Get("precision") != "ms" {
			m.json(w, http.StatusBadRequest, map[string]string{"error": "invalid database name or precision"})
			return
		}
		if m.buckets[name] == "" { // the first write makes it
			m.buckets[name] = name
			m.store(name)
		}
		m.forward(w, r, "/write", name)
	})
	mux.HandleFunc("/query", func(w http.ResponseWriter, r *http.Request) {
		q, name := strings.TrimSpace(r.URL.Query().Get("q")), r.URL.Query().Get("db")
		switch {
		case m.buckets[name] == "":
			m.json(w, http.StatusNotFound, map[string]string{"error": "database not found: " + name})
		case several(q):
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, "query error: error while planning query: This feature is not implemented: The context currently only supports a single InfluxQL statement") //nolint:errcheck // the test would see it
		case !strings.HasPrefix(q, "SELECT") && !strings.HasPrefix(q, "SHOW"):
			m.json(w, http.StatusBadRequest, map[string]string{"error": "This feature is not implemented: " + q})
		default:
			m.forward(w, r, "/query", name)
		}
	})
}

// several reports whether q is more than one statement: a semicolon outside of quotes.
func several(q string) bool {
	var quote rune
	escaped := false
	for _, c := range q {
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote == 0 && c == ';':
			return true
		}
	}
	return false
}
