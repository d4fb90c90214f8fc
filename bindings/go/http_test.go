package cmreload_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"cmreload"
)

func TestARequestSeesOneVersion(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"})
	inside, goOn := make(chan *cmreload.Snapshot), make(chan struct{})
	server := httptest.NewServer(config.Middleware(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		inside <- cmreload.FromContext(r.Context())
		<-goOn
		text, _ := cmreload.FromContext(r.Context()).String("a")
		io.WriteString(w, text)
	})))
	defer server.Close()
	answers := make(chan *http.Response)
	get := func() {
		response, err := server.Client().Get(server.URL)
		if err != nil {
			t.Error(err)
		}
		answers <- response
	}
	go get()
	if version := <-inside; version.Version() != 1 || config.Stats().HeldSnapshots != 1 {
		t.Errorf("the request has %v; %+v", version, config.Stats())
	}
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	if config.Stats().HeldSnapshots != 1 {
		t.Errorf("the request holds nothing: %+v", config.Stats())
	}
	go get()
	if version := <-inside; version.Version() != 2 {
		t.Errorf("the next request has %v", version)
	}
	close(goOn)
	seen := make(map[string]string)
	for range 2 {
		response := <-answers
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		seen[response.Header.Get("X-Config-Version")] = string(body)
	}
	if seen["1"] != "1" || seen["2"] != "2" {
		t.Errorf("the answers were %v", seen)
	}
	if cmreload.FromContext(within(t)) != nil {
		t.Error("there is a version without middleware")
	}
}

func TestReloadsByHTTP(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"})
	call := func(method string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		config.ReloadHandler().ServeHTTP(answer, httptest.NewRequest(method, "/-/reload", nil))
		return answer
	}
	configMap.Update(map[string]string{"a": "2"})
	if answer := call(http.MethodPost); answer.Code != http.StatusOK ||
		answer.Body.String() != "Configuration reloaded" ||
		answer.Header().Get("X-Config-Version") != "2" {
		t.Errorf("%v %s", answer, answer.Body)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodHead} {
		if answer := call(method); answer.Code != http.StatusMethodNotAllowed ||
			answer.Header().Get("Allow") != "POST" {
			t.Errorf("%s: %v", method, answer)
		}
	}
	configMap.Update(map[string]string{"b.json": "hunter2"})
	if answer := call(http.MethodPost); answer.Code != http.StatusInternalServerError ||
		!containsText(answer.Body.String(), "b.json:1:1: ") ||
		containsText(answer.Body.String(), "hunter2") {
		t.Errorf("%v %s", answer, answer.Body)
	}
	config.Close()
	if answer := call(http.MethodPost); answer.Code != http.StatusInternalServerError {
		t.Errorf("%v %s", answer, answer.Body)
	}
}

func TestAReloadDoesNotWaitForItsOwnRequest(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"}, cmreload.WithDrain(time.Hour))
	handler := config.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		configMap.Update(map[string]string{"a": "2"}) // the request holds version 1 by now
		config.ReloadHandler().ServeHTTP(w, r)
	}))
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, "/-/reload", nil).WithContext(within(t))
	handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusOK || config.Version() != 2 {
		t.Errorf("%v %s", answer, answer.Body)
	}
}
