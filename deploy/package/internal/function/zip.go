// Package function makes the deployment package of a Lambda function on the
// runtime provided.al2023: a zip file whose one entry, bootstrap, Lambda starts
// (AWS, "Building Lambda functions with Go").
//
// It promises that equal binaries become equal bytes, and refuses what Lambda
// would not take. The function gets its CA certificates from the runtime.
package function

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"time"
)

// Entry is the file that Lambda starts.
const Entry = "bootstrap"

const (
	// MaxZipBytes is what CreateFunction and UpdateFunctionCode take in the
	// request, and MaxUnzippedBytes what a function may have (AWS, "Lambda
	// quotas").
	MaxZipBytes      = 50 << 20
	MaxUnzippedBytes = 250 << 20
)

// The first instant that a zip file can write down.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Zip is the deployment package with this binary.
func Zip(binary []byte) ([]byte, error) {
	if len(binary) > MaxUnzippedBytes {
		return nil, fmt.Errorf("zip %s: %d bytes, and Lambda takes %d", Entry, len(binary), MaxUnzippedBytes)
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	header := &zip.FileHeader{Name: Entry, Method: zip.Deflate, Modified: epoch}
	header.SetMode(0o755)
	w, err := archive.CreateHeader(header)
	if err == nil {
		_, err = w.Write(binary)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("zip %s: %w", Entry, err)
	}
	if out.Len() > MaxZipBytes {
		return nil, fmt.Errorf("zip %s: %d bytes compressed, and Lambda takes %d in a request", Entry, out.Len(), MaxZipBytes)
	}
	return out.Bytes(), nil
}
