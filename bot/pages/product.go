package pages

import (
	"encoding/json"
	"strings"

	"primum/bot/store"
	"primum/forges"
	"primum/rules/fact"
)

// words are what a forge calls things, for the text its users read.
type words struct {
	Forge  string // "GitLab"; the key where the forge is not configured any more
	Change string // "merge request"
	sign   string
}

// product is what the forge of a change calls things.
func (p *Pages) product(forge string) words {
	w := words{Forge: forge, Change: "pull request", sign: "#"}
	if f := p.o.Forges[forge]; f != nil {
		c := f.Capabilities()
		w.Forge = c.Product
		if c.ChangeSign != "" {
			w.sign = c.ChangeSign
		}
	}
	if w.sign == "!" {
		w.Change = "merge request"
	}
	return w
}

// Ref is a change's number as people write it: "#14", "!4".
func (w words) Ref(number int) string { return fact.NameOf(w.sign, number) }

// name is a change as people name it: "acme/infusion-pump #14".
func (p *Pages) name(f found) string {
	return strings.Join([]string{f.repo.Owner + "/" + f.repo.Name, p.product(f.subject.Forge).sign + f.subject.Ref}, " ")
}

// way is by what the verdict on a change blocks it.
func way(s store.Subject) string {
	var posted forges.Posted
	if len(s.Memory.Posted) > 0 {
		// What does not parse says nothing.
		_ = json.Unmarshal(s.Memory.Posted, &posted)
	}
	return posted.Way
}
