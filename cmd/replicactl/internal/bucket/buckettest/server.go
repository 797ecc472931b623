// Package buckettest is as much of S3 as package bucket calls, as AWS documents
// it: ListObjectsV2, GetObject and DeleteObject, by the path style. It checks no
// signatures. It is for tests.
package buckettest

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Server is one bucket behind HTTP. Its methods are safe for concurrent use.
type Server struct {
	*httptest.Server
	name string

	mu       sync.Mutex
	objects  map[string]string
	requests map[string]int
	fault    func(operation, key string) Fault
}

// Fault is what goes wrong with a request; the zero value is nothing.
type Fault struct {
	// Status and Code are the answer instead; 0 for the right one.
	Status int
	Code   string
	// Cut ends an object's body after half of it.
	Cut bool
}

// Start serves a bucket with these objects. The caller closes the server.
func Start(name string, objects map[string]string) *Server {
	s := &Server{name: name, objects: maps.Clone(objects), requests: map[string]int{}}
	if s.objects == nil {
		s.objects = map[string]string{}
	}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// Keys returns the keys of what is there, in order.
func (s *Server) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}

// Put puts an object.
func (s *Server) Put(key, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = content
}

// Remove takes an object away.
func (s *Server) Remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, key)
}

// Requests returns how often an operation was called.
func (s *Server) Requests(operation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[operation]
}

// SetFault has a function asked before each request. It is called by one
// goroutine at a time.
func (s *Server) SetFault(fault func(operation, key string) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	operation := map[string]string{http.MethodGet: "GetObject", http.MethodDelete: "DeleteObject"}[r.Method]
	if key == "" && r.URL.Query().Get("list-type") == "2" {
		operation = "ListObjectsV2"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[operation]++
	var fault Fault
	if s.fault != nil {
		fault = s.fault(operation, key)
	}
	switch {
	case fault.Status != 0:
		refuse(w, fault.Status, fault.Code)
	case name != s.name:
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case operation == "ListObjectsV2":
		s.list(w, r)
	case operation == "DeleteObject":
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case operation == "GetObject":
		content, ok := s.objects[key]
		if !ok {
			refuse(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		if fault.Cut {
			content = content[:len(content)/2] // net/http ends the connection then
		}
		_, _ = w.Write([]byte(content)) // the client may have had enough
	default:
		refuse(w, http.StatusNotImplemented, "NotImplemented")
	}
}

type listing struct {
	XMLName     xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name        string
	Prefix      string
	KeyCount    int
	MaxKeys     int
	IsTruncated bool
	Contents    []object
}

type object struct {
	Key          string
	LastModified string
	Size         int
	StorageClass string
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	out := listing{Name: s.name, Prefix: query.Get("prefix"), MaxKeys: 1000}
	if most, err := strconv.Atoi(query.Get("max-keys")); err == nil {
		out.MaxKeys = min(out.MaxKeys, most)
	}
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if !strings.HasPrefix(key, out.Prefix) || key <= query.Get("start-after") {
			continue
		}
		if out.IsTruncated = len(out.Contents) == out.MaxKeys; out.IsTruncated {
			break
		}
		out.Contents = append(out.Contents, object{key, "2026-01-01T00:00:00.000Z", len(s.objects[key]), "STANDARD"})
	}
	out.KeyCount = len(out.Contents)
	answer(w, http.StatusOK, out)
}

func refuse(w http.ResponseWriter, status int, code string) {
	answer(w, status, struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}{Code: code, Message: "as the test says"})
}

func answer(w http.ResponseWriter, status int, document any) {
	text, err := xml.Marshal(document)
	if err != nil {
		panic(err) // the documents are the ones above
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), text...)) // the client may be gone
}
