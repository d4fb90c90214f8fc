package cmreload_test

import (
	"math/rand/v2"
	"testing"

	"cmreload"
	"cmreload/internal/reference"
)

func TestMatchesKeysAsFnmatchDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const patternAlphabet = "aabb*?[]!-\\./A0:z"
	const keyAlphabet = "aabbA0./-]z:"
	matches := 0
	for range 200_000 {
		pattern, key := randomText(random, patternAlphabet, 9), randomText(random, keyAlphabet, 6)
		if random.IntN(4) == 0 {
			pattern += []string{"[[:digit:]]", "[[:upper:]x]", "[![:alpha:]]*", "[]a]",
				"[a-z.]"}[random.IntN(5)]
		}
		if cmreload.Malformed(pattern) != "" {
			continue
		}
		got := cmreload.Matches(pattern, key)
		if got != reference.Matches(pattern, key) {
			t.Fatalf("%q matches %q: %v, fnmatch says otherwise", pattern, key, got)
		}
		if got {
			matches++
		}
	}
	if matches < 1000 {
		t.Errorf("only %d matches: this compares nothing", matches)
	}
}

func randomText(random *rand.Rand, alphabet string, atMost int) string {
	text := make([]byte, random.IntN(atMost))
	for i := range text {
		text[i] = alphabet[random.IntN(len(alphabet))]
	}
	return string(text)
}

func TestMatchesCharactersNotBytes(t *testing.T) {
	for _, c := range []struct {
		pattern, key string
		matches      bool
	}{
		{"?", "é", true},
		{"[é-ü]x", "öx", true},
		{"[!é]", "é", false},
		{"*é?", "aéb", true},
		{`\é`, "é", true},
		{"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	} {
		if cmreload.Matches(c.pattern, c.key) != c.matches {
			t.Errorf("%q matches %q: %v", c.pattern, c.key, !c.matches)
		}
	}
}

func TestRefusesMalformedPatterns(t *testing.T) {
	for _, pattern := range []string{
		"", "[", "[a", "[!", "[]", "a\\", "[a\\", "[[:nothing:]]", "[[.a.]]", "[[=a=]]",
		"[z-a]", "\xff", "a\x00",
	} {
		if cmreload.Malformed(pattern) == "" {
			t.Errorf("%q is accepted", pattern)
		}
		_, err := cmreload.Open("", cmreload.WithOnChange(func(cmreload.Event) {}, pattern))
		if statusIsNot(err, cmreload.ErrInvalidArgument) {
			t.Errorf("Open with %q: %v", pattern, err)
		}
	}
}
