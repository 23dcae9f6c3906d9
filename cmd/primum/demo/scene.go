package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"primum/forges"
	"primum/forges/gitea"
	"primum/forges/github"
	"primum/forges/gitlab"
	"primum/forges/sim"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/githubface"
	"primum/forges/sim/gitlabface"
)

// Forges lists what a demonstration can be of, the usual one first.
func Forges() []string { return []string{"github", "gitlab", "gitea", "forgejo"} }

// scene is in what the pages of one kind of forge differ from the others.
type scene struct {
	Kind    string // one of Forges
	Product string
	Noun    string // what a change is called
	Sign    string // before its number
	Thing   string // what Primum puts on it
	Line    bool   // that is a commit status, which anybody who may push can set
	bot     string // login Primum writes as
	words   bool   // a review has words
	// again: the forge does not tell when a text was edited, so that of what was
	// said before Primum came only the last words hold.
	again bool
	// Silent: some deeds come without a delivery, so Primum looks by itself.
	Silent  bool
	changes string // path of a change below the repository, before its number
	issues  string // likewise of an issue
}

// sceneOf gives the scene of a kind; "" stands for the usual one.
func sceneOf(kind string) (scene, error) {
	tea := scene{Noun: "pull request", Sign: "#", Thing: "status", Line: true, Silent: true, bot: app, words: true, changes: "pulls", issues: "issues"}
	switch kind {
	case "", "github":
		return scene{
			Kind: "github", Product: "GitHub", Noun: "pull request", Sign: "#", Thing: "check", bot: app + "[bot]", words: true, changes: "pull", issues: "issues",
		}, nil
	case "gitlab":
		return scene{
			Kind: "gitlab", Product: "GitLab", Noun: "merge request", Sign: "!", Thing: "status", Line: true, Silent: true, bot: app, changes: "-/merge_requests", issues: "-/issues",
		}, nil
	case "gitea":
		tea.Kind, tea.Product = "gitea", "Gitea"
		return tea, nil
	case "forgejo":
		tea.Kind, tea.Product, tea.again = "forgejo", "Forgejo", true
		return tea, nil
	}
	return scene{}, fmt.Errorf("no demonstration of %q; there is one of %v", kind, Forges())
}

// Change is the path of a change.
func (s scene) Change(n int) string { return "/" + repo + "/" + s.changes + "/" + strconv.Itoa(n) }

// Issue is the path of an issue.
func (s scene) Issue(n int) string { return s.IssueList() + "/" + strconv.Itoa(n) }

// IssueList is the path of all issues.
func (s scene) IssueList() string { return "/" + repo + "/" + s.issues }

// stage is the face of a forge: its API and its webhooks.
type stage interface {
	http.Handler
	SetHook(url string)
	Close()
}

// player is how Primum takes part in one kind of forge.
type player struct {
	face stage
	// join makes Primum's account or app, before anything happens.
	join func(*world)
	// adapter makes the adapter once the past is told.
	adapter func(*world) (forges.Forge, error)
	// settle makes the settings that only the API has, once it answers; nil for none.
	settle func(context.Context) error
}

// cast makes the face of a scene over a forge. Its API answers at api; people
// open the forge at web.
func (s scene) cast(f *sim.Forge, api, web string, log *slog.Logger) (*player, error) {
	switch s.Kind {
	case "gitlab":
		return castGitLab(f, api, web, log), nil
	case "gitea", "forgejo":
		return castGitea(s.Kind, f, api, web, log), nil
	default:
		return castGitHub(f, api, web, log)
	}
}

func castGitHub(f *sim.Forge, api, web string, log *slog.Logger) (*player, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make the app's key: %w", err)
	}
	secret := random(24)
	face := githubface.New(f, githubface.Options{
		App: app, PublicKey: &key.PublicKey, Secret: secret, AuthNow: time.Now, Log: log, APIURL: api, WebURL: web,
	})
	var id int64
	return &player{
		face: face,
		join: func(w *world) {
			id = w.forge.AddApp(app, "Primum", org).ID
			w.forge.Install(app, org, sim.InstallOptions{})
		},
		adapter: func(*world) (forges.Forge, error) {
			return github.New(github.Config{
				AppID: id, PrivateKey: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
				Secrets: []string{secret}, BaseURL: api, Now: time.Now, Log: log,
			})
		},
	}, nil
}

// castGitea is Gitea or Forgejo with Primum as an account among the owners,
// which may read who is in a team.
func castGitea(product string, f *sim.Forge, api, web string, log *slog.Logger) *player {
	secret, token := random(24), random(20)
	face := giteaface.New(f, giteaface.Options{Product: product, Secret: secret, URL: web, Log: log})
	return &player{
		face: face,
		join: func(w *world) {
			w.forge.AddBot(app, "Primum")
			w.forge.Join(org, true, app)
			face.AddToken(token, app, "write:repository", "write:issue", "read:organization", "read:user", "read:misc")
		},
		adapter: func(*world) (forges.Forge, error) {
			return gitea.New(gitea.Config{Key: product, URL: api, Token: token, Secrets: []string{secret}, Now: time.Now, Log: log})
		},
	}
}

// castGitLab is the free GitLab with Primum as an account that may push, whose
// commit status is a job of the pipeline that must succeed.
func castGitLab(f *sim.Forge, api, web string, log *slog.Logger) *player {
	secret, token, owner := random(24), "glpat-"+random(10), "glpat-"+random(10)
	face := gitlabface.New(f, gitlabface.Options{Tier: gitlabface.Free, Secret: secret, APIURL: api, WebURL: web, Log: log})
	return &player{
		face: face,
		join: func(w *world) {
			w.forge.AddBot(app, "Primum")
			w.forge.Join(org, true, app)
			face.AddToken(token, app, "api")
			face.AddToken(owner, "alex", "api")
		},
		adapter: func(*world) (forges.Forge, error) {
			return gitlab.New(gitlab.Config{URL: api, Token: token, Secrets: []string{secret}, Now: time.Now, Log: log})
		},
		settle: func(ctx context.Context) error { return mustSucceed(ctx, api, owner) },
	}
}

// mustSucceed asks for pipelines that succeed before a merge, as an owner of the
// project does once in its settings.
func mustSucceed(ctx context.Context, api, token string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, api+"/api/v4/projects/acme%2Finfusion-pump",
		bytes.NewReader([]byte(`{"only_allow_merge_if_pipeline_succeeds":true}`)))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("PRIVATE-TOKEN", token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the simulated forge answers %d", answer.StatusCode)
	}
	return nil
}

// approve approves as a person. Where an approval has no words they are said in
// a comment first.
func (s scene) approve(who sim.Actor, n int, words string) error {
	if !s.words && words != "" {
		if _, err := who.Comment(repo, n, words); err != nil {
			return err
		}
		words = ""
	}
	_, err := who.Approve(repo, n, words)
	return err
}

// refuse asks for changes, likewise.
func (s scene) refuse(who sim.Actor, n int, words string) error {
	if !s.words {
		if _, err := who.Comment(repo, n, words); err != nil {
			return err
		}
		words = ""
	}
	_, err := who.RequestChanges(repo, n, words)
	return err
}
