package panel

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"aovuon/gateway/words"
)

// form is a usage that somebody can fill in.
type form struct {
	ID      string // of the element
	Head    string
	Title   string
	Foreign bool // Title is English, whatever the page is: what a new verb says of itself
	Button  string
	Quick   string // of a button that sends the form as it usually is; empty: there is none
	Inputs  []input
	Problem string
}

// input is one thing a form asks for.
type input struct {
	Name, ID, Label string
	Value, Usual    string
	Numeric, Hidden bool
	Must            bool
	Options         []option // of a choice; empty: something is typed
	Bad             bool
}

type option struct {
	Value, Label string
	Chosen       bool
}

// attempt is a form that was sent and not obeyed, so that nothing of it is lost.
type attempt struct {
	head    string
	subject string
	values  url.Values
	err     error
}

// usages asks the field what it can be told.
func (s *Page) usages(ctx context.Context) (list []usage, err error) {
	lines, err := s.o.Desk.Do(ctx, "help")
	if err != nil {
		return nil, fmt.Errorf("panel: %w", err)
	}
	for _, l := range lines {
		if u, ok := parseUsage(l); ok {
			list = append(list, u)
		}
	}
	return list, nil
}

// idWord names a thing of its verb: a gateway, a link.
const idWord = "ID"

// subjects are the words of a usage that name what a command is for.
func subjects() []string { return []string{"DEVICE", "PLACE", idWord} }

// subject is what a usage is for; empty: the whole field.
func (u usage) subject() string {
	for _, w := range u.Words {
		if !w.Literal && slices.Contains(subjects(), w.Text) {
			return w.Text
		}
	}
	return ""
}

// fill makes the form of a usage for one thing. choices are what a word can be.
func (s *Page) fill(w *words.Words, u usage, thing string, choices map[string][]option, last *attempt) form {
	key, subject := u.key(), u.subject()
	f := form{ID: "f-" + slug(thing+"-"+key), Head: u.Head, Title: w.Or("do."+key, u.Means), Foreign: !w.Has("do." + key)}
	f.Button, f.Quick = w.Or("button."+key, w.T("button")), w.Or("quick."+key, "")
	if last != nil && (last.head != u.Head || last.subject != thing) {
		last = nil
	}
	if subject != "" {
		f.Inputs = append(f.Inputs, input{Name: subject, Value: thing, Hidden: true})
	}
	for _, word := range u.asks(subject) {
		name := strings.ToLower(strings.ReplaceAll(word.Text, "|", "-"))
		in := input{
			Name: word.Text, ID: f.ID + "-" + slug(name), Numeric: (word.Number || word.Unit != "") && word.Text != "OFFSET", Must: word.Group == 0,
			Label: w.Or("ask."+key+"."+name, w.Or("ask."+name, word.Text)), Value: w.Or("usual."+key+"."+name, ""),
		}
		in.Usual = in.Value
		if last != nil {
			in.Value = last.values.Get(word.Text)
			if wrong, ok := errors.AsType[*fieldError](last.err); ok && wrong.name == word.Text {
				in.Bad = true
				f.Problem = w.T(wrong.key, in.Label)
			}
		}
		in.Options = slices.Clone(choices[word.Text])
		for _, c := range word.Choice {
			in.Options = append(in.Options, option{Value: c, Label: w.Or("choice."+c, c)})
		}
		if !in.Must && len(in.Options) > 0 {
			in.Options = append([]option{{Label: w.T("choice.none")}}, in.Options...)
		}
		for i := range in.Options {
			in.Options[i].Chosen = in.Options[i].Value == in.Value
		}
		f.Inputs = append(f.Inputs, in)
	}
	if last != nil && f.Problem == "" {
		f.Problem = s.refusal(w, last.err)
	}
	return f
}

// refusal says why something was not done.
func (s *Page) refusal(w *words.Words, err error) string {
	if wrong, ok := errors.AsType[*fieldError](err); ok {
		return w.T(wrong.key, w.Or("ask."+strings.ToLower(wrong.name), wrong.name))
	}
	if errors.Is(err, errNoForm) {
		return w.T("wrong.form")
	}
	return w.T("refused", err.Error())
}

// slug is text as an element's id.
func slug(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
}
