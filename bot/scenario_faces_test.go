package bot_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"primum/forges"
	"primum/forges/sim"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/simtest"
)

// The faces stories are played on.
const (
	onGitHub  = "github"
	onGitLab  = "gitlab"
	onGitea   = "gitea"
	onForgejo = "forgejo"
)

// faces lists them; what a story expects is what GitHub's shows.
func faces() []string { return []string{onGitHub, onGitLab, onGitea, onForgejo} }

// face is one forge as a story sees it: the model, the adapter that talks to a
// face of it, and what of the two differs from face to face.
type face struct {
	name    string
	forge   *sim.Forge
	adapter forges.Forge
	clock   *simtest.Clock
	bot     string // login Primum writes as
	app     int64  // whose check can be required; 0 where it can be anybody's
	setHook func(url string)
	drain   func(context.Context) error
	close   func()
	// stands is the verdict on a commit where it is no check or status of the model.
	stands func(sha string) (state, title string)
}

func newFace(t *testing.T, name string) face {
	t.Helper()
	switch name {
	case onGitHub:
		r := simtest.New(t, simtest.Options{})
		return face{
			name: name, forge: r.Forge, adapter: r.GitHub, clock: r.Clock, bot: simtest.App + "[bot]", app: r.App.ID,
			setHook: r.Face.SetHook, drain: r.Face.Drain, close: r.Face.Close,
		}
	case onGitLab:
		r := simtest.NewGitLab(t, simtest.GitLabOptions{})
		return face{
			name: name, forge: r.Forge, adapter: r.GitLab, clock: r.Clock, bot: r.Bot,
			setHook: r.Face.SetHook, drain: r.Face.Drain, close: r.Face.Close,
		}
	case onGitea, onForgejo:
		product := giteaface.Gitea
		if name == onForgejo {
			product = giteaface.Forgejo
		}
		r := simtest.NewGitea(t, simtest.GiteaOptions{Product: product})
		return face{
			name: name, forge: r.Forge, adapter: r.Gitea, clock: r.Clock, bot: r.Bot,
			setHook: r.Face.SetHook, drain: r.Face.Drain, close: r.Face.Close,
		}
	default:
		t.Fatalf("there is no face %q", name)
		return face{}
	}
}

// is reports whether a word of a story means this face: its name, or "silent"
// for forges that do not tell everything.
func (f face) is(word string) bool {
	return word == f.name || word == "silent" && f.adapter.Capabilities().Silent()
}

// spoken cuts "on gitea,forgejo: " from a line; ok is false if it is not for this face.
func (f face) spoken(line string) (prefix, text string, ok bool) {
	rest, cut := strings.CutPrefix(line, "on ")
	if !cut {
		return "", line, true
	}
	who, text, cut := strings.Cut(rest, ": ")
	if !cut {
		return "", line, true
	}
	return "on " + who + ": ", text, slices.ContainsFunc(strings.Split(who, ","), f.is)
}

// What faces word differently and stories do not speak of: addresses, what they
// point at within a page, the sign of a change, how a bot's login ends, the
// command for a button that is not there, and the link to a review that has no
// address of its own.
var sayings = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`), "https://github.example"},
	{regexp.MustCompile(`/c/(github|gitlab|gitea|forgejo)/`), "/c/F/"},
	{regexp.MustCompile(`/(pulls|-/merge_requests)/([0-9]+)`), "/pull/$2"},
	{regexp.MustCompile(`/-/(issues|work_items)/`), "/issues/"},
	{regexp.MustCompile(`#(issuecomment|pullrequestreview|discussion_r|note)[-_]?(N|[0-9]+)`), ""},
	{regexp.MustCompile(`\[bot\]`), ""},
	{regexp.MustCompile(` \(\[review\]\([^)]*\)\)`), ""},
	{regexp.MustCompile(` · ` + "`/primum recheck`" + `: judge again`), ""},
	{regexp.MustCompile("(`[a-z]+`|Somebody the forge does not name) edited Primum's comment"), "WHO edited Primum's comment"},
	{regexp.MustCompile(`!([0-9]+)\b`), "#$1"},
}

// plain is a text with what faces word differently taken out.
func plain(s string) string {
	for _, say := range sayings {
		s = say.from.ReplaceAllString(s, say.to)
	}
	return s
}
