package cmreload_test

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"cmreload"
	"cmreload/internal/abi"
)

func TestEveryStatusSaysWhatItMeans(t *testing.T) {
	texts := make(map[string]bool)
	for status := cmreload.ErrInvalidArgument; status <= cmreload.ErrNoMemory; status++ {
		text := status.Error()
		if text == "" || strings.HasPrefix(text, "CMR_") || texts[text] {
			t.Errorf("status %d says %q", status, text)
		}
		texts[text] = true
	}
	// The library knows no more, and no fewer.
	if name := abi.StatusName(int32(cmreload.ErrNoMemory)); name != "CMR_E_NO_MEMORY" {
		t.Errorf("the last status is %s", name)
	}
	if name := cmreload.Status(cmreload.ErrNoMemory + 1).Error(); name != "unknown" {
		t.Errorf("there is a status %s", name)
	}
}

func TestErrorsReadLikeACompilers(t *testing.T) {
	for _, c := range []struct {
		err    cmreload.Error
		wanted string
	}{
		{cmreload.Error{Status: cmreload.ErrParse, Key: "a.yaml", Line: 14, Column: 7, Message: "no"},
			"a.yaml:14:7: no"},
		{cmreload.Error{Status: cmreload.ErrIO, Key: "/etc/config", Message: "no"}, "/etc/config: no"},
		{cmreload.Error{Status: cmreload.ErrState}, "not possible in this state"},
	} {
		if got := c.err.Error(); got != c.wanted {
			t.Errorf("%q, not %q", got, c.wanted)
		}
	}
}

func TestErrorsAreFoundByTheirParts(t *testing.T) {
	err := error(&cmreload.Error{Status: cmreload.ErrDenied, Errno: syscall.EACCES})
	for _, target := range []error{cmreload.ErrDenied, syscall.EACCES, fs.ErrPermission} {
		if !errors.Is(err, target) {
			t.Errorf("%v is not found", target)
		}
	}
	for _, target := range []error{cmreload.ErrIO, fs.ErrNotExist} {
		if errors.Is(err, target) {
			t.Errorf("%v is found", target)
		}
	}
}
