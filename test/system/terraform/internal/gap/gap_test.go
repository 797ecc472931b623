package gap

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// ask sends an operation and returns what comes back.
func ask(t *testing.T, to, target, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", target)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(answer))
}

func TestOnlyWhatMotoLacksIsAnsweredHere(t *testing.T) {
	var reached []string
	moto := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached = append(reached, r.Header.Get("X-Amz-Target")+" "+r.Host)
		_, _ = io.WriteString(w, `{"ScalableTargetARN": "arn:target"}`)
	}))
	defer moto.Close()
	filler, err := New(moto.URL)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(filler)
	defer server.Close()

	if got := ask(t, server.URL, listTags, `{"ResourceARN": "arn:target"}`); got != `{"Tags":{}}` {
		t.Errorf("tags of a target that nobody registered: %s", got)
	}
	if got := ask(t, server.URL, registerTarget, `{"Tags": {"service": "stats"}}`); got != `{"ScalableTargetARN": "arn:target"}` {
		t.Errorf("registering answers %s", got)
	}
	ask(t, server.URL, registerTarget, `{"MaxCapacity": 3}`)
	if got := ask(t, server.URL, listTags, `{"ResourceARN": "arn:target"}`); got != `{"Tags":{"service":"stats"}}` {
		t.Errorf("tags after an update: %s", got)
	}
	ask(t, server.URL, "AmazonSQS.SendMessage", `{}`)

	host := strings.TrimPrefix(moto.URL, "http://")
	want := []string{registerTarget + " " + host, registerTarget + " " + host, "AmazonSQS.SendMessage " + host}
	if strings.Join(reached, "\n") != strings.Join(want, "\n") {
		t.Errorf("moto saw %q, want %q", reached, want)
	}
}

func TestRedriveAllowPolicyIsWhatWasSetUntilItIsTakenAway(t *testing.T) {
	refuse := false
	moto := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse {
			w.WriteHeader(http.StatusBadRequest)
		}
		if text, err := io.ReadAll(r.Body); err != nil || r.Header.Get("X-Amz-Target") == setAttributes && !bytes.Contains(text, []byte("VisibilityTimeout")) {
			t.Errorf("moto is told %s (%v), and would forget the queue's policy", text, err)
		}
		_, _ = io.WriteString(w, `{"Attributes": {"VisibilityTimeout": "30", "RedrivePolicy": "{\"maxReceiveCount\": 10}"}}`)
	}))
	defer moto.Close()
	filler, err := New(moto.URL)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(filler)
	defer server.Close()
	const all, alone = `{"QueueUrl": "http://q", "AttributeNames": ["All"]}`, `{"QueueUrl": "http://q", "AttributeNames": ["RedriveAllowPolicy"]}`
	expect := func(when, asked, want string) {
		t.Helper()
		if got := ask(t, server.URL, getAttributes, asked); got != want {
			t.Errorf("%s the queue's attributes are %s, want %s", when, got, want)
		}
	}
	expect("before", all, `{"Attributes":{"RedrivePolicy":"{\"maxReceiveCount\":10}","VisibilityTimeout":"30"}}`)
	expect("before", alone, `{"Attributes":{}}`)
	ask(t, server.URL, setAttributes, `{"QueueUrl": "http://q", "Attributes": {"RedriveAllowPolicy": "denyAll"}}`)
	ask(t, server.URL, setAttributes, `{"QueueUrl": "http://q", "Attributes": {"VisibilityTimeout": "30"}}`)
	expect("afterwards", all, `{"Attributes":{"RedriveAllowPolicy":"denyAll","RedrivePolicy":"{\"maxReceiveCount\":10}","VisibilityTimeout":"30"}}`)
	expect("afterwards", alone, `{"Attributes":{"RedriveAllowPolicy":"denyAll"}}`)
	expect("afterwards another's:", `{"QueueUrl": "http://other", "AttributeNames": ["All"]}`, `{"Attributes":{"RedrivePolicy":"{\"maxReceiveCount\":10}","VisibilityTimeout":"30"}}`)
	refuse = true
	ask(t, server.URL, setAttributes, `{"QueueUrl": "http://q", "Attributes": {"RedriveAllowPolicy": "byQueue"}}`)
	refuse = false
	expect("after a refusal", alone, `{"Attributes":{"RedriveAllowPolicy":"denyAll"}}`)
	ask(t, server.URL, setAttributes, `{"QueueUrl": "http://q", "Attributes": {"RedriveAllowPolicy": ""}}`)
	expect("once it is taken away", alone, `{"Attributes":{}}`)
}

func TestMappingIsWhatWasAskedForUntilItIsDeleted(t *testing.T) {
	filler, err := New("http://127.0.0.1:1") // nobody is there
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(filler)
	defer server.Close()
	call := func(method, path, body string) (int, map[string]any) {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		said := map[string]any{}
		if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, said
	}
	_, made := call(http.MethodPost, mappingsPath, `{"FunctionName": "arn:function:live", "BatchSize": 100, "Enabled": true, "Tags": {"service": "profile"}}`)
	id, _ := made["UUID"].(string)
	if id == "" || made["FunctionArn"] != "arn:function:live" || made["State"] != "Enabled" {
		t.Fatalf("made %v", made)
	}
	call(http.MethodPut, mappingsPath+"/"+id, `{"BatchSize": 200}`)
	if _, kept := call(http.MethodGet, mappingsPath+"/"+id, ""); kept["BatchSize"] != 200.0 || kept["FunctionArn"] != "arn:function:live" || kept["Tags"] != nil {
		t.Errorf("after an update it is %v", kept)
	}
	if _, said := call(http.MethodGet, tagsPath+mappingARN+id, ""); !reflect.DeepEqual(said["Tags"], map[string]any{"service": "profile"}) {
		t.Errorf("its tags are %v", said)
	}
	call(http.MethodDelete, mappingsPath+"/"+id, "")
	if status, said := call(http.MethodGet, mappingsPath+"/"+id, ""); status != http.StatusNotFound {
		t.Errorf("after its deletion: %d %v", status, said)
	}
}
