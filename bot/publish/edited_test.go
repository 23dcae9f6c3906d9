package publish

import "testing"

// What a forge or an adapter makes of a text is no other text, and other words are.
func TestTextsAreComparedLoosely(t *testing.T) {
	t.Parallel()
	const text = "**1 action needed.**\n\n> /merge\n/close is what somebody wrote\n\n| a | b |\n"
	for name, tt := range map[string]struct {
		shown string
		same  bool
	}{
		"itself":          {text, true},
		"line ends":       {"**1 action needed.**\r\n\r\n> /merge\r\n/close is what somebody wrote\r\n\r\n| a | b |", true},
		"space":           {"\n**1 action needed.**  \n\n\n> /merge\n/close is what somebody wrote\n\n| a | b |\n\n", true},
		"orders disarmed": {"**1 action needed.**\n\n> \\/merge\n\\/close is what somebody wrote\n\n| a | b |\n", true},
		"another number":  {"**0 actions needed.**\n\n> /merge\n/close is what somebody wrote\n\n| a | b |\n", false},
		"a line more":     {text + "\nAll is well.\n", false},
		"a line less":     {"**1 action needed.**\n\n| a | b |\n", false},
		"nothing":         {"", false},
	} {
		if got := looseDigest(tt.shown) == looseDigest(text); got != tt.same {
			t.Errorf("%s: the same is %v, want %v", name, got, tt.same)
		}
	}
}
