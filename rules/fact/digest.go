package fact

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Digest identifies these facts: the SHA-256, in hex, of their JSON with the
// time of reading left out. Equal facts read twice have one digest.
func (c *Change) Digest() string {
	frozen := *c
	frozen.ReadAt = time.Time{}
	raw, err := json.Marshal(&frozen)
	if err != nil { // every field is a plain value
		panic("fact: change is not JSON: " + err.Error())
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// TextDigest identifies what an approval of this issue approves: the SHA-256,
// in hex, of title and body, line ends normalised.
func (i *Issue) TextDigest() string { return TextDigest(i.Title, i.Body) }

// TextDigest is Issue.TextDigest for a title and body at hand.
func TextDigest(title, body string) string {
	h := sha256.New()
	writeNormal(h, title)
	h.Write([]byte{0})
	writeNormal(h, body)
	return hex.EncodeToString(h.Sum(nil))
}

func writeNormal(w interface{ Write([]byte) (int, error) }, s string) {
	buf := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\r' {
			if i+1 < len(s) && s[i+1] == '\n' {
				continue
			}
			buf = append(buf, '\n')
			continue
		}
		buf = append(buf, s[i])
	}
	_, _ = w.Write(buf) // a hash never refuses
}
