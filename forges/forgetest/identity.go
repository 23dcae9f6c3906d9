package forgetest

import (
	"errors"
	"net/http"
	"strings"

	"primum/forges"
	"primum/forges/sim"
)

func identity() []contract {
	return []contract{
		{"its key and product have words", func(t *try) {
			if t.Adapter.Key() == "" || t.Adapter.Capabilities().Product == "" {
				t.Errorf("key %q, product %q", t.Adapter.Key(), t.Adapter.Capabilities().Product)
			}
		}},
		{"its limits are limits", func(t *try) {
			c := t.Adapter.Capabilities()
			if c.CommentMax <= 0 || c.ShortMax <= 0 || c.SummaryMax < 0 {
				t.Errorf("limits %d, %d, %d", c.CommentMax, c.ShortMax, c.SummaryMax)
			}
		}},
	}
}

// delivery makes one delivery: jonas opens an issue.
func (t *try) delivery() Hook {
	t.Helper()
	t.Hooks(t)
	t.num(t.as("jonas").OpenIssue(Repo, "Rate drifts", "It drifts."))
	hooks := t.Hooks(t)
	if len(hooks) == 0 {
		t.Fatal("no delivery came")
	}
	return hooks[0]
}

func verification() []contract {
	refuses := func(want error, spoil func(http.Header, []byte) []byte) func(*try) {
		return func(t *try) {
			h := t.delivery()
			header := h.Header.Clone()
			_, err := t.Adapter.Verify(header, spoil(header, h.Body))
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
	}
	drop := func(word string) func(http.Header, []byte) []byte {
		return func(h http.Header, body []byte) []byte {
			for k := range h {
				if strings.Contains(strings.ToLower(k), word) {
					h.Del(k)
				}
			}
			return body
		}
	}
	return []contract{
		{"a signed delivery is taken as it came", func(t *try) {
			h := t.delivery()
			d, err := t.Adapter.Verify(h.Header, h.Body)
			t.ok(err)
			equal(t, "forge", d.Forge, t.Adapter.Key())
			equal(t, "event", d.Event, h.Event)
			equal(t, "body", string(d.Body), string(h.Body))
			if d.ID == "" {
				t.Error("the delivery has no id")
			}
		}},
		{"a delivery without a signature is refused", refuses(forges.ErrSignature, drop("signature"))},
		{"a changed body is refused", refuses(forges.ErrSignature, func(_ http.Header, body []byte) []byte {
			return append([]byte(strings.Replace(string(body), "drifts", "rests!", 1)), ' ')
		})},
		{"a signature of other bytes is refused", refuses(forges.ErrSignature, func(h http.Header, body []byte) []byte {
			for k, v := range h {
				if strings.Contains(strings.ToLower(k), "signature") {
					h.Set(k, v[0][:len(v[0])-2]+"00")
				}
			}
			return body
		})},
		{"a request without an event is malformed", refuses(forges.ErrMalformed, drop("event"))},
		{"a request without a delivery id is malformed", refuses(forges.ErrMalformed, drop("delivery"))},
		{"a form is malformed", refuses(forges.ErrMalformed, func(h http.Header, body []byte) []byte {
			h.Set("Content-Type", "application/x-www-form-urlencoded")
			return body
		})},
		{"an event nobody heard of is ignored", func(t *try) {
			e, err := t.Adapter.Decode(forges.Delivery{Forge: t.Adapter.Key(), ID: "1", Event: "moon_phase", Body: []byte(`{}`)})
			t.ok(err)
			equal(t, "kind", e.Kind, forges.Ignored)
			if e.Reason == "" {
				t.Error("no reason is given")
			}
		}},
		{"a payload without its own subject is malformed", func(t *try) {
			h := t.delivery()
			_, err := t.Adapter.Decode(forges.Delivery{Forge: t.Adapter.Key(), ID: "1", Event: h.Event, Header: h.Header, Body: []byte(`{"action":"opened"}`)})
			if !errors.Is(err, forges.ErrMalformed) {
				t.Errorf("got %v, want %v", err, forges.ErrMalformed)
			}
		}},
		{"a payload that is no JSON is malformed", func(t *try) {
			h := t.delivery()
			_, err := t.Adapter.Decode(forges.Delivery{Forge: t.Adapter.Key(), ID: "1", Event: h.Event, Header: h.Header, Body: []byte(`{"action":`)})
			if !errors.Is(err, forges.ErrMalformed) {
				t.Errorf("got %v, want %v", err, forges.ErrMalformed)
			}
		}},
		{"the signature is older than the secret of another app", func(t *try) {
			h := t.delivery()
			if _, err := t.Adapter.Verify(http.Header{}, h.Body); err == nil {
				t.Error("a body without headers was taken")
			}
		}},
		{"a redelivery keeps its id", func(t *try) {
			t.World.SetFaults(func(f *sim.Faults) { f.RepeatShare = 1 })
			t.Hooks(t)
			t.num(t.as("jonas").OpenIssue(Repo, "Rate drifts", ""))
			hooks := t.Hooks(t)
			if len(hooks) != 2 {
				t.Fatalf("%d deliveries, want one twice", len(hooks))
			}
			a, err := t.Adapter.Verify(hooks[0].Header, hooks[0].Body)
			t.ok(err)
			b, err := t.Adapter.Verify(hooks[1].Header, hooks[1].Body)
			t.ok(err)
			equal(t, "id", b.ID, a.ID)
		}},
	}
}
