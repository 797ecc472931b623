package release

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Listing is what was packaged, as artifacts.json has it for Terraform, each by
// its program's name. Without references it follows from the sources and the Go
// release alone.
type Listing struct {
	// Go is the release that compiled the programs.
	Go        string              `json:"go"`
	Functions map[string]Function `json:"functions"`
	Images    map[string]Image    `json:"images"`
}

// Function is the deployment package of a Lambda function.
type Function struct {
	// File is its path within the listing's directory.
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
	// SHA256 is its hash in base64, as Lambda's CodeSha256 and Terraform's
	// source_code_hash have it.
	SHA256 string `json:"sha256"`
}

// Image is an index of images.
type Image struct {
	// Layout is the path of the OCI layout within the listing's directory.
	Layout    string   `json:"layout"`
	Platforms []string `json:"platforms"`
	// Bytes are what a registry keeps of it.
	Bytes int64 `json:"bytes"`
	// Digest is the index's, sha256:…
	Digest string `json:"digest"`
	// Reference is the repository it was pushed to and the digest, for the
	// image variables; empty where it was not pushed.
	Reference string `json:"reference,omitempty"`
}

// Print writes the listing as a table.
func (l Listing) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, name := range names(l.Functions) {
		f := l.Functions[name]
		fmt.Fprintf(w, "function\t%s\t%.1f MiB\t%s\t%s\n", name, mebibytes(f.Bytes), f.SHA256, f.File)
	}
	for _, name := range names(l.Images) {
		i := l.Images[name]
		where := i.Reference
		if where == "" {
			where = i.Layout + "/"
		}
		fmt.Fprintf(w, "image\t%s\t%.1f MiB\t%s\t%s\n", name, mebibytes(i.Bytes), i.Digest, where)
	}
	return w.Flush()
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
