package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"primum/forges"
)

func printForges(t *testing.T, format string) string {
	t.Helper()
	var out bytes.Buffer
	o := forgesOptions{io: &streams{out: &out}, format: format}
	if err := o.run(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Every lack is shown with its sentence, in every format, and every sentence is one.
func TestForgesShowsEveryLack(t *testing.T) {
	t.Parallel()
	text, markdown := printForges(t, "text"), printForges(t, "markdown")
	var data []forgeJSON
	if err := json.Unmarshal([]byte(printForges(t, "json")), &data); err != nil {
		t.Fatal(err)
	}
	all := forgeColumns()
	if len(data) != len(all) {
		t.Fatalf("%d forges in JSON, want %d", len(data), len(all))
	}
	for i, c := range all {
		if c.ChangeSign == "" || c.CommentMax < 1000 || c.ShortMax < 50 {
			t.Errorf("%s says little of itself: %+v", c.Product, c)
		}
		for trait, sentence := range c.Lacks {
			if strings.TrimSpace(sentence) != sentence || !strings.HasSuffix(sentence, ".") || len(sentence) < 20 || strings.Contains(sentence, "|") {
				t.Errorf("%s, %s: %q is no sentence", c.Product, trait, sentence)
			}
			for name, shown := range map[string]string{"text": text, "markdown": markdown, "json": data[i].Lacks[trait]} {
				if !strings.Contains(shown, sentence) {
					t.Errorf("%s: %s does not show %q", c.Product, name, sentence)
				}
			}
			if !strings.HasPrefix(string(trait), "delivery: ") && !strings.HasPrefix(string(trait), "reading: ") &&
				!strings.HasPrefix(string(trait), "writing: ") && !strings.HasPrefix(string(trait), "access: ") {
				t.Errorf("%s: the trait %q is in no part of the table", c.Product, trait)
			}
		}
	}
}

func TestTheTableOfForges(t *testing.T) {
	t.Parallel()
	all := []forges.Capabilities{
		{Product: "One", CommentMax: 65535, CallsPerHour: 5000, PinnedCheck: true},
		{Product: "Another", CommentMax: 999, Lacks: map[forges.Trait]string{forges.ReadsBots: "A machine looks like a person.", forges.TellsTeams: "Teams are asked for again."}, Notes: []string{"Odd."}},
	}
	want := `            One  Another
The verdict
room for a comment, in bytes 65,535 999
nobody else can set the required check yes –
The connection
calls an hour 5,000 no limit
Told by a delivery
the members of a team change yes –
Can be read
that an account is a bot yes –
One
lacks nothing of this
Another
- delivery: the members of a team change
Teams are asked for again.
- reading: that an account is a bot
A machine looks like a person.
* Odd.
`
	got := strings.Fields(forgesText(all))
	at := 0
	for word := range strings.FieldsSeq(want) {
		for at < len(got) && got[at] != word {
			at++
		}
		if at == len(got) {
			t.Fatalf("%q is not where it should be in:\n%s", word, forgesText(all))
		}
		at++
	}
}
