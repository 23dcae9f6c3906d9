package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"primum/bot/clock"
	"primum/bot/config"
	"primum/bot/judge"
	"primum/bot/publish"
	"primum/bot/store"
	"primum/forges"
	"primum/forges/gitea"
	"primum/forges/github"
	"primum/forges/gitlab"
	"primum/rules"
)

// remote is one change on a forge, to be judged without a server.
type remote struct {
	forge, repo string
	number      int
	token       string
	api         string // of a GitHub Enterprise Server
	url         string // of anything else, as people open it
	ca          string
	post        bool
	engine      string
	trace       io.Writer // for warnings of the parts that log
}

// kind is the kind of forge, "" if the word names none.
func (r remote) kind() config.Kind {
	switch r.forge {
	case "github", "gitlab", "gitea":
		return config.Kind(r.forge)
	case "forgejo":
		return config.KindGitea
	}
	return ""
}

// named says what is missing to know the change.
func (r remote) named() error {
	owner, name := splitRepo(r.repo)
	switch {
	case r.kind() == "":
		return usage("--forge %q is not known; github, gitlab, gitea and forgejo are", r.forge)
	case r.repo == "":
		return usage("which repository? give --repo owner/name")
	case owner == "" || name == "" || strings.HasPrefix(owner, "/") || strings.Contains(r.repo, "//"),
		strings.Contains(owner, "/") && r.kind() != config.KindGitLab:
		return usage("--repo %q is no repository; it would be owner/name", r.repo)
	case r.number <= 0 && r.kind() == config.KindGitLab:
		return usage("which change? give --change with its number; a job of GitLab CI knows it in a merge request pipeline")
	case r.number <= 0:
		return usage("which change? give --change with its number")
	}
	return nil
}

// splitRepo cuts a repository's name at the last slash: groups have some in theirs.
func splitRepo(repo string) (owner, name string) {
	i := strings.LastIndexByte(repo, '/')
	if i < 0 {
		return "", repo
	}
	return repo[:i], repo[i+1:]
}

// judge reads and judges the change down the same path as the service does,
// with a store that lives as long as the call. Commands that were edited
// before this call saw them are not obeyed: nobody remembers what they said.
func (r remote) judge(ctx context.Context) (*rules.Verdict, error) {
	log := slog.New(slog.NewTextHandler(r.trace, &slog.HandlerOptions{Level: slog.LevelWarn}))
	forge, err := r.open(log)
	if err != nil {
		return nil, err
	}
	return judgeOnce(ctx, forge, r, log)
}

// open makes the forge.
func (r remote) open(log *slog.Logger) (forges.Forge, error) {
	var f forges.Forge
	var err error
	switch r.kind() {
	case config.KindGitHub:
		f, err = github.New(github.Config{
			Token: r.token, Repo: r.repo, NoWebhooks: true, BaseURL: r.api, CAFile: r.ca, Now: clock.System{}.Now, Log: log,
		})
	case config.KindGitLab:
		f, err = gitlab.New(gitlab.Config{
			URL: r.url, Token: r.token, Repo: r.repo, NoWebhooks: true, CAFile: r.ca, Now: clock.System{}.Now, Log: log,
		})
	case config.KindGitea:
		if r.url == "" {
			return nil, usage("where is the forge? give --url with the address people open it at")
		}
		f, err = gitea.New(gitea.Config{
			URL: r.url, Token: r.token, Repo: r.repo, NoWebhooks: true, CAFile: r.ca, Now: clock.System{}.Now, Log: log,
		})
	default:
		err = fmt.Errorf("--forge %q is not known", r.forge)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return f, nil
}

func judgeOnce(ctx context.Context, forge forges.Forge, r remote, log *slog.Logger) (*rules.Verdict, error) {
	owner, name := splitRepo(r.repo)
	db, err := store.Open(ctx, ":memory:", clock.System{}, log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }() // in memory: nothing is lost
	k := store.Key{Forge: forge.Key(), RepoID: r.repo, Kind: store.KindChange, Ref: strconv.Itoa(r.number)}
	if err := db.PutRepo(ctx, store.RepoRow{Forge: k.Forge, ID: k.RepoID, Owner: owner, Name: name}); err != nil {
		return nil, err
	}
	if _, err := db.Mark(ctx, []store.Mark{{Key: k, Reason: "check"}}, nil); err != nil {
		return nil, err
	}
	claims, err := db.Claim(ctx, "check", time.Hour, 1)
	if err != nil || len(claims) == 0 {
		return nil, fmt.Errorf("claim change %d: %w", r.number, err)
	}
	j := judge.New(judge.Options{
		Store: db, Forges: []forges.Forge{forge}, Clock: clock.System{}, Log: log, Engine: r.engine,
		Publish: publish.New(publish.Options{Store: db, Clock: clock.System{}, Log: log, Silent: !r.post}),
	})
	_, judgeErr := j.Subject(ctx, &claims[0])
	v, err := newest(ctx, db, k)
	if err != nil {
		if judgeErr != nil {
			return nil, judgeErr
		}
		return nil, err
	}
	return v, judgeErr // a verdict that was reached is shown, posted or not
}

// newest is the newest verdict of a subject.
func newest(ctx context.Context, s store.Store, k store.Key) (*rules.Verdict, error) {
	sub, err := s.Subject(ctx, k)
	if err != nil {
		return nil, err
	}
	row, err := s.Verdict(ctx, sub.Verdict)
	if err != nil {
		return nil, fmt.Errorf("the change has no verdict: %w", err)
	}
	var v rules.Verdict
	if err := json.Unmarshal(row.JSON, &v); err != nil {
		return nil, fmt.Errorf("read verdict: %w", err)
	}
	return &v, nil
}
