package spec_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"
	"time"

	"primum/forges"
	"primum/forges/github"
	"primum/forges/sim/spec"
)

// TestEveryPublishedPayloadIsReadOrIgnored signs each payload GitHub publishes
// and has the adapter verify and decode it.
func TestEveryPublishedPayloadIsReadOrIgnored(t *testing.T) {
	t.Parallel()
	const secret = "an-open-secret-for-tests"
	f, err := github.New(github.Config{Token: "t", Secrets: []string{secret}, Now: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[forges.EventKind]int{}
	all := spec.Examples(t)
	if len(all) != 329 {
		t.Errorf("%d payloads, want 329", len(all))
	}
	for i, e := range all {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(e.Body)
		header := http.Header{
			"Content-Type": {"application/json"}, "X-Github-Event": {e.Event}, "X-Github-Delivery": {fmt.Sprintf("example-%d", i)},
			"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))},
		}
		d, err := f.Verify(header, e.Body)
		if err != nil {
			t.Errorf("%s, payload %d: verify: %v", e.Event, i, err)
			continue
		}
		event, err := f.Decode(d)
		if err != nil {
			t.Errorf("%s, payload %d: decode: %v", e.Event, i, err)
			continue
		}
		if event.Kind == "" || (event.Kind == forges.Ignored) != (event.Reason != "") && event.Kind != forges.QueueEvent {
			t.Errorf("%s, payload %d: kind %q, reason %q", e.Event, i, event.Kind, event.Reason)
		}
		kinds[event.Kind]++
	}
	for _, k := range []forges.EventKind{
		forges.ChangeEvent, forges.IssueEvent, forges.CheckEvent, forges.QueueEvent, forges.PushEvent, forges.PeopleEvent, forges.RepoEvent, forges.InstallationEvent, forges.Ignored,
	} {
		if kinds[k] == 0 {
			t.Errorf("no payload is of kind %s", k)
		}
	}
	t.Logf("kinds: %v", kinds)
}
