package scenarios

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A script is a scenario file: lines of words. It knows no verb.
type script struct {
	path      string
	title     string // the story in one sentence
	lines     []*line
	failsHere int // the number of the line that must fail, or 0
}

type line struct {
	number int
	words  []string
}

func (s *script) needs(what string) bool {
	for _, line := range s.lines {
		if line.words[0] == "needs" && len(line.words) > 1 && line.words[1] == what {
			return true
		}
	}
	return false
}

func readScript(path string) (*script, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &script{path: path}
	isInBlock := false
	for index, text := range strings.Split(strings.TrimSuffix(string(content), "\n"), "\n") {
		number := index + 1
		text = strings.TrimLeft(text, " \t")
		block, isBlock := strings.CutPrefix(text, "|")
		comment, isComment := strings.CutPrefix(text, "# ")
		switch {
		case isBlock:
			err = s.addBlock(strings.TrimPrefix(block, " ")+"\n", isInBlock)
		case isComment && number == 1:
			s.title = comment
		case isComment && strings.HasPrefix(comment, "fails here"):
			s.failsHere = number + 1
		case text != "" && text[0] != '#':
			err = s.addLine(number, text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number, err)
		}
		isInBlock = isBlock
	}
	if s.title == "" {
		return nil, fmt.Errorf("%s:1: a comment must stand here: the story in one sentence", path)
	}
	return s, nil
}

func (s *script) addLine(number int, text string) error {
	added := &line{number: number}
	for text != "" {
		var word string
		var err error
		if word, text, err = takeWord(text); err != nil {
			return err
		}
		added.words = append(added.words, word)
		text = strings.TrimLeft(text, " \t")
	}
	s.lines = append(s.lines, added)
	return nil
}

// addBlock adds a line of text to the last word; the first such line makes that word.
func (s *script) addBlock(text string, isMore bool) error {
	if len(s.lines) == 0 {
		return fmt.Errorf("text without a verb")
	}
	owner := s.lines[len(s.lines)-1]
	if isMore {
		owner.words[len(owner.words)-1] += text
	} else {
		owner.words = append(owner.words, text)
	}
	return nil
}

// takeWord reads the word that text begins with, and gives what comes after it.
func takeWord(text string) (word, rest string, err error) {
	quote := text[0]
	if quote != '\'' && quote != '"' {
		end := strings.IndexAny(text+" ", " \t")
		return text[:end], text[end:], nil
	}
	for text = text[1:]; ; {
		switch {
		case text == "":
			return "", "", fmt.Errorf("a quote is not closed")
		case text[0] == quote:
			if text = text[1:]; text != "" && text[0] != ' ' && text[0] != '\t' {
				return "", "", fmt.Errorf("a blank must follow a quote")
			}
			return word, text, nil
		case quote == '"' && text[0] == '\\':
			var b byte
			if b, text, err = takeEscape(text[1:]); err != nil {
				return "", "", err
			}
			word += string([]byte{b})
		default:
			word, text = word+text[:1], text[1:]
		}
	}
}

// takeEscape reads what follows a backslash.
func takeEscape(text string) (b byte, rest string, err error) {
	if text != "" {
		if index := strings.IndexByte(`ntr\"`, text[0]); index >= 0 {
			return "\n\t\r\\\""[index], text[1:], nil
		}
	}
	if len(text) >= 3 && text[0] == 'x' {
		value, err := strconv.ParseUint(text[1:3], 16, 8)
		return byte(value), text[3:], err
	}
	return 0, "", fmt.Errorf("unknown escape")
}

// ---- telling ----

// story is what the line at hand is told in.
var story struct {
	path      string
	line      *line
	directory string
	patience  time.Duration
}

// tell tells a story, and does not return.
func tell(path string) {
	story.path, story.line = path, &line{}
	story.directory = os.Getenv(directoryVariable)
	story.patience, _ = time.ParseDuration(os.Getenv(patienceVariable))
	script, err := readScript(path)
	must(err)
	for _, story.line = range script.lines {
		verb := story.line.words[0]
		if perform, ok := worldVerbs[verb]; ok {
			perform()
		} else if perform, ok := stageVerbs[verb]; ok {
			perform()
		} else {
			fail("unknown verb: %s", verb)
		}
	}
	endStage()
	os.Exit(0)
}

// fail ends the story.
func fail(format string, arguments ...any) { endStory(exitFailed, format, arguments...) }

// skip ends the story because the machine does not allow it.
func skip(format string, arguments ...any) { endStory(exitSkipped, format, arguments...) }

func endStory(result int, format string, arguments ...any) {
	fmt.Printf("%s:%d: %s\n", story.path, story.line.number, fmt.Sprintf(format, arguments...))
	os.Exit(result)
}

func must(err error) {
	if err != nil {
		fail("%s: %v", strings.Join(story.line.words[:min(2, len(story.line.words))], " "), err)
	}
}

// has says whether the line has a word at index.
func has(index int) bool { return index < len(story.line.words) }

// word gives it, or fails the story.
func word(index int) string {
	if !has(index) {
		fail("%s: a word is missing", story.line.words[0])
	}
	return story.line.words[index]
}

func number(index int) int64 {
	value, err := strconv.ParseInt(word(index), 0, 64)
	if err != nil {
		fail("'%s' is no number", word(index))
	}
	return value
}

func noMoreThan(count int) {
	if has(count) {
		fail("'%s' is a word too many", word(count))
	}
}

// repeated reads `VALUE times COUNT` at index and after.
func repeated(index int) string {
	value := word(index)
	if !has(index + 1) {
		return value
	}
	if word(index+1) != "times" {
		fail("'%s' where `times COUNT` may stand", word(index+1))
	}
	noMoreThan(index + 3)
	return strings.Repeat(value, int(number(index+2)))
}

// place gives a path of the story's.
func place(relative string) string {
	if relative == "" {
		return story.directory
	}
	return story.directory + "/" + relative
}
