package gap

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
)

// Where Lambda's API has event source mappings, and the tags of everything
// (Lambda API Reference, CreateEventSourceMapping and ListTags).
const (
	mappingsPath = "/2015-03-31/event-source-mappings"
	tagsPath     = "/2017-03-31/tags/"
	mappingARN   = "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:"
)

// mappings are event source mappings that read nothing. moto's own take the
// records away from the stream: it calls a function that it cannot run, and
// forgets the records all the same, so that nobody else would read them. It also
// shows the version of an alias where AWS shows the alias.
type mappings struct {
	mu   sync.Mutex
	byID map[string]map[string]any
}

// serves reports whether a request is about event source mappings.
func (m *mappings) serves(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, mappingsPath) || strings.HasPrefix(r.URL.Path, tagsPath+mappingARN)
}

func (m *mappings) serve(w http.ResponseWriter, method, path string, body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sent := map[string]any{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &sent); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	if arn, ok := strings.CutPrefix(path, tagsPath); ok {
		tags := m.byID[strings.TrimPrefix(arn, mappingARN)]["Tags"]
		if tags == nil {
			tags = map[string]any{}
		}
		answer(w, http.StatusOK, map[string]any{"Tags": tags})
		return
	}
	id := strings.Trim(strings.TrimPrefix(path, mappingsPath), "/") // some releases of the SDK end the path with a slash
	if method == http.MethodPost {
		id = rand.Text()
		m.byID[id] = map[string]any{"UUID": id, "EventSourceMappingArn": mappingARN + id, "State": "Enabled"}
	}
	kept, ok := m.byID[id]
	if !ok {
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		answer(w, http.StatusNotFound, map[string]any{"Type": "User", "Message": "The resource you requested does not exist."})
		return
	}
	maps.Copy(kept, sent)
	if function, ok := sent["FunctionName"]; ok {
		kept["FunctionArn"] = function
	}
	shown := maps.Clone(kept)
	delete(shown, "Tags")
	delete(shown, "FunctionName")
	delete(shown, "Enabled")
	switch method {
	case http.MethodDelete:
		delete(m.byID, id)
		shown["State"] = "Deleting"
		answer(w, http.StatusAccepted, shown)
	case http.MethodGet:
		answer(w, http.StatusOK, shown)
	default:
		answer(w, http.StatusAccepted, shown)
	}
}

// answer writes an answer. One that does not get through is the client's to
// report.
func answer(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what)
}
