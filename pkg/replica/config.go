package replica

import "fmt"

// missing is what a config lacks; every problem of one is reported at once.
func missing(field string) error { return fmt.Errorf("%s: missing", field) }
