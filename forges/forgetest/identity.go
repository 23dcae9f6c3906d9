package forgetest

import (
	"errors"
	"net/http"
	"slices"
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
		{"the number of a change has a sign", func(t *try) {
			if sign := t.Adapter.Capabilities().ChangeSign; sign != "#" && sign != "!" {
				t.Errorf("the sign is %q", sign)
			}
		}},
		{"what it lacks is said in sentences", func(t *try) {
			for trait, why := range t.Adapter.Capabilities().Lacks {
				if !strings.Contains(string(trait), ": ") || !strings.HasSuffix(strings.TrimSpace(why), ".") {
					t.Errorf("%q: %q", trait, why)
				}
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
	dropped := func(h http.Header, words ...string) {
		for k := range h {
			if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(k), w) }) {
				h.Del(k)
			}
		}
	}
	// proofs are the headers that prove a delivery.
	proofs := func(t *try, h http.Header) []string {
		if t.Proof != nil {
			return t.Proof
		}
		var out []string
		for k := range h {
			if strings.Contains(strings.ToLower(k), "signature") {
				out = append(out, k)
			}
		}
		return out
	}
	spoiled := func(spoil func(h http.Header, name, proof string)) func(*try) {
		return func(t *try) {
			h := t.delivery()
			header := h.Header.Clone()
			changed := 0
			for _, name := range proofs(t, header) {
				if proof := header.Get(name); proof != "" {
					spoil(header, name, proof)
					changed++
				}
			}
			if changed == 0 {
				t.Fatalf("nothing proves this delivery: %v", h.Header)
			}
			_, err := t.Adapter.Verify(header, h.Body)
			is(t, err, forges.ErrSignature)
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
		{"a delivery without a signature is refused", spoiled(func(h http.Header, name, _ string) { h.Del(name) })},
		{"a changed body is refused", func(t *try) {
			h := t.delivery()
			_, err := t.Adapter.Verify(h.Header, append([]byte(strings.Replace(string(h.Body), "drifts", "rests!", 1)), ' '))
			if t.has(forges.DoesSignBodies) {
				is(t, err, forges.ErrSignature)
				return
			}
			t.ok(err) // a secret beside the body proves who sends, not what
		}},
		{"a signature of other bytes is refused", spoiled(func(h http.Header, name, proof string) {
			last := "0"
			if strings.HasSuffix(proof, last) {
				last = "1"
			}
			h.Set(name, proof[:len(proof)-1]+last)
		})},
		{"a request without an event is malformed", refuses(forges.ErrMalformed, func(h http.Header, body []byte) []byte {
			dropped(h, "event")
			return body
		})},
		{"a request without a delivery id is malformed", refuses(forges.ErrMalformed, func(h http.Header, body []byte) []byte {
			dropped(h, "delivery", "uuid", "idempotency", "webhook-id")
			return body
		})},
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
