package gitlab

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"primum/forges"
)

const (
	testSecret  = "an-open-secret-for-tests"
	otherSecret = "another-secret-for-tests"
	testToken   = "glpat-ofNobodyAtAll"
	testSigning = "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q="
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// adapter makes one that calls nobody.
func adapter(tb testing.TB, change ...func(*Config)) *Forge {
	tb.Helper()
	c := Config{URL: "https://git.example/gitlab", Token: testToken, Secrets: []string{testSecret, otherSecret}, Now: func() time.Time { return noon }}
	for _, fn := range change {
		fn(&c)
	}
	f, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func signs(c *Config) { c.SigningTokens = []string{testSigning} }

func delivered(event string) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("X-Gitlab-Event", event)
	h.Set("X-Gitlab-Token", testSecret)
	h.Set("X-Gitlab-Event-UUID", "13792a34-cac6-4fda-95a8-c58e00a3954e")
	h.Set("Idempotency-Key", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f")
	return h
}

// signed signs as Standard Webhooks has it.
func signed(h http.Header, body, key string, at time.Time) http.Header {
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte("msg_1." + stamp + "." + body))
	h.Set("webhook-id", "msg_1")
	h.Set("webhook-timestamp", stamp)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}

func hexMAC(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func digestOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:16])
}

func TestVerifyTakesWhatIsProvenAndNothingElse(t *testing.T) {
	t.Parallel()
	const body = `{"object_kind":"note","n":1}`
	with := func(fn func(http.Header)) http.Header {
		h := delivered("Note Hook")
		fn(h)
		return h
	}
	tests := map[string]struct {
		header http.Header
		body   string
		config func(*Config)
		want   error
		id     string
		event  string
	}{
		"the token": {header: delivered("Note Hook"), id: "f5e5f430-f57b-4e6e-9fac-d9128cd7232f", event: "Note Hook"},
		"a token being replaced": {
			header: with(func(h http.Header) { h.Set("X-Gitlab-Token", otherSecret) }), id: "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
		},
		"an event nobody heard of":             {header: delivered("Moon Phase Hook"), event: "Moon Phase Hook"},
		"an event the library does not know":   {header: delivered("Emoji Hook"), event: "Emoji Hook"},
		"a payload that is another than told":  {header: delivered("Note Hook"), body: `{"object_kind":7,"commits":"no list"}`},
		"no token":                             {header: with(func(h http.Header) { h.Del("X-Gitlab-Token") }), want: forges.ErrSignature},
		"a wrong token":                        {header: with(func(h http.Header) { h.Set("X-Gitlab-Token", testSecret+"x") }), want: forges.ErrSignature},
		"a token that is the beginning of one": {header: with(func(h http.Header) { h.Set("X-Gitlab-Token", testSecret[:8]) }), want: forges.ErrSignature},
		"no event":                             {header: with(func(h http.Header) { h.Del("X-Gitlab-Event") }), want: forges.ErrMalformed},
		"an odd event":                         {header: delivered("Note\x01Hook"), want: forges.ErrMalformed},
		"a form": {
			header: with(func(h http.Header) { h.Set("Content-Type", "application/x-www-form-urlencoded") }), want: forges.ErrMalformed,
		},
		"GitLab before 17.4": {
			header: with(func(h http.Header) {
				h.Del("Idempotency-Key")
				h.Set("X-Gitlab-Webhook-UUID", "c1d2b3a4-0000-4000-8000-000000000001")
			}), id: "13792a34-cac6-4fda-95a8-c58e00a3954e." + digestOf(body),
		},
		"the UUID of the try alone": {
			header: with(func(h http.Header) {
				h.Del("Idempotency-Key")
				h.Del("X-Gitlab-Event-UUID")
				h.Set("X-Gitlab-Webhook-UUID", "c1d2b3a4-0000-4000-8000-000000000001")
			}), id: "c1d2b3a4-0000-4000-8000-000000000001." + digestOf(body),
		},
		"an odd UUID": {header: with(func(h http.Header) {
			h.Del("Idempotency-Key")
			h.Set("X-Gitlab-Event-UUID", "a b")
		}), want: forges.ErrMalformed},
		"no id at all": {header: with(func(h http.Header) {
			h.Del("Idempotency-Key")
			h.Del("X-Gitlab-Event-UUID")
		}), want: forges.ErrMalformed},
		"an odd id":        {header: with(func(h http.Header) { h.Set("Idempotency-Key", "a b/../c") }), want: forges.ErrMalformed},
		"no object":        {header: delivered("Note Hook"), body: `[1]`, want: forges.ErrMalformed},
		"no JSON":          {header: delivered("Note Hook"), body: `{"a":`, want: forges.ErrMalformed},
		"no body":          {header: delivered("Note Hook"), body: "-", want: forges.ErrMalformed},
		"no JSON unproven": {header: with(func(h http.Header) { h.Set("X-Gitlab-Token", "x") }), body: `{"a":`, want: forges.ErrSignature},
		"signed":           {header: signed(delivered("Note Hook"), body, testSigning, noon), config: signs, id: "msg_1"},
		"signed a while ago": {
			header: signed(delivered("Note Hook"), body, testSigning, noon.Add(-4*time.Minute)), config: signs, id: "msg_1",
		},
		"signed long ago":           {header: signed(delivered("Note Hook"), body, testSigning, noon.Add(-6*time.Minute)), config: signs, want: forges.ErrSignature},
		"signed in the future":      {header: signed(delivered("Note Hook"), body, testSigning, noon.Add(6*time.Minute)), config: signs, want: forges.ErrSignature},
		"signed by somebody else":   {header: signed(delivered("Note Hook"), body, "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32)), noon), config: signs, want: forges.ErrSignature},
		"signed over another body":  {header: signed(delivered("Note Hook"), body+" ", testSigning, noon), config: signs, want: forges.ErrSignature},
		"only a token where signed": {header: delivered("Note Hook"), config: signs, want: forges.ErrSignature},
		"a signature of another kind": {header: func() http.Header {
			h := signed(delivered("Note Hook"), body, testSigning, noon)
			h.Set("webhook-signature", strings.Replace(h.Get("webhook-signature"), "v1,", "v2,", 1))
			return h
		}(), config: signs, want: forges.ErrSignature},
		"one of two signatures": {header: func() http.Header {
			h := signed(delivered("Note Hook"), body, testSigning, noon)
			h.Set("webhook-signature", "v1,AAAA "+h.Get("webhook-signature"))
			return h
		}(), config: signs, id: "msg_1"},
		"an id changed after signing": {header: func() http.Header {
			h := signed(delivered("Note Hook"), body, testSigning, noon)
			h.Set("webhook-id", "msg_2")
			return h
		}(), config: signs, want: forges.ErrSignature},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := adapter(t)
			if tt.config != nil {
				f = adapter(t, tt.config)
			}
			payload := tt.body
			switch payload {
			case "":
				payload = body
			case "-":
				payload = ""
			}
			d, err := f.Verify(tt.header, []byte(payload))
			if !errors.Is(err, tt.want) || err != nil && tt.want == nil {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if tt.id != "" && d.ID != tt.id {
				t.Errorf("id %q, want %q", d.ID, tt.id)
			}
			if tt.event != "" && d.Event != tt.event {
				t.Errorf("event %q, want %q", d.Event, tt.event)
			}
			if err == nil && (d.Forge != "gitlab" || string(d.Body) != payload) {
				t.Errorf("delivery %+v", d)
			}
		})
	}
}

func TestVerifyExternalStatusChecks(t *testing.T) {
	t.Parallel()
	const body = `{"object_kind":"merge_request"}`
	h := func(signature string) http.Header {
		return http.Header{"Content-Type": {"application/json"}, "X-Gitlab-Signature": {signature}}
	}
	for _, config := range []func(*Config){func(*Config) {}, signs} {
		f := adapter(t, config)
		d, err := f.Verify(h(hexMAC(otherSecret, body)), []byte(body))
		if err != nil || d.Event != "Merge Request Hook" || !strings.HasPrefix(d.ID, "sha256-") {
			t.Errorf("delivery %+v, %v", d, err)
		}
		for _, wrong := range []string{hexMAC("x", body), hexMAC(testSecret, body+" "), "", "zz", strings.Repeat("0", 64)} {
			if _, err := f.Verify(h(wrong), []byte(body)); err == nil {
				t.Errorf("signature %q was taken", wrong)
			}
		}
		// A right token is no proof where a signature is wrong.
		both := h(hexMAC("x", body))
		both.Set("X-Gitlab-Token", testSecret)
		if _, err := f.Verify(both, []byte(body)); !errors.Is(err, forges.ErrSignature) {
			t.Errorf("got %v, want %v", err, forges.ErrSignature)
		}
	}
}

// A deed that several webhooks tell of has one UUID, and instances before 17.4
// send nothing else.
func TestDeliveriesAreNamedApart(t *testing.T) {
	t.Parallel()
	f := adapter(t)
	id := func(body string, drop ...string) string {
		t.Helper()
		h := delivered("Note Hook")
		for _, name := range drop {
			h.Del(name)
		}
		d, err := f.Verify(h, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return d.ID
	}
	a, b := `{"a":1}`, `{"b":1}`
	if id(a) != id(b) {
		t.Error("a repeated delivery with another body has another id")
	}
	if id(a, "Idempotency-Key") == id(b, "Idempotency-Key") {
		t.Error("two deliveries of one deed have one id")
	}
	if first := id(a, "Idempotency-Key"); first != id(a, "Idempotency-Key") {
		t.Error("a repeated delivery has another id")
	}
}

func TestConfigSaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := New(Config{
		URL: "ftp://git.example", Repo: "pump", Secrets: []string{"short"}, SigningTokens: []string{"whsec_%", "sec", "whsec_" + base64.StdEncoding.EncodeToString([]byte("x"))}, Way: "prayer",
	})
	if err == nil {
		t.Fatal("it was taken")
	}
	for _, want := range []string{"no clock", "no token", "group/project", "at least 16", "neither https nor http", "prayer"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	for _, tt := range []struct {
		token, want string
	}{{"sec", "begin with whsec_"}, {"whsec_%", "not base64"}, {"whsec_eA==", "a key of 1 bytes"}} {
		_, err := New(Config{Token: testToken, SigningTokens: []string{tt.token}, Now: time.Now})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.token, err, tt.want)
		}
	}
	if _, err := New(Config{Token: testToken, Now: time.Now}); err == nil || !strings.Contains(err.Error(), "no webhook secret") {
		t.Errorf("without a secret: %v", err)
	}
	f, err := New(Config{Token: testToken, Now: time.Now, NoWebhooks: true})
	if err != nil || f.Key() != "gitlab" || f.web.String() != "https://gitlab.com/" {
		t.Errorf("got %v, %v", f, err)
	}
	if _, err := f.Verify(delivered("Note Hook"), []byte(`{}`)); !errors.Is(err, forges.ErrSignature) {
		t.Errorf("without a secret a delivery was answered %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("Note Hook", testSecret, "1", `{"object_kind":"note"}`)
	f.Add("", "", "", "")
	forge := adapter(f)
	f.Fuzz(func(t *testing.T, event, token, id, body string) {
		h := http.Header{"Content-Type": {"application/json"}, "X-Gitlab-Event": {event}, "X-Gitlab-Token": {token}, "Idempotency-Key": {id}}
		d, err := forge.Verify(h, []byte(body))
		if err == nil && token != testSecret && token != otherSecret {
			t.Fatalf("taken with token %q", token)
		}
		if err != nil && !errors.Is(err, forges.ErrSignature) && !errors.Is(err, forges.ErrMalformed) {
			t.Fatalf("an error without a meaning: %v", err)
		}
		if err == nil {
			if _, err := forge.Decode(d); err != nil && !errors.Is(err, forges.ErrMalformed) {
				t.Fatalf("decode: %v", err)
			}
		}
	})
}
