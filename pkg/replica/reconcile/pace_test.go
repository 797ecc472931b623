package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
)

// Stamps are repairs, too, and every subscriber receives them: where all copies
// are ahead, as after the source was restored, the rate holds.
func TestStampsKeepToTheRate(t *testing.T) {
	inRig(t, func(r *rig) {
		const companies = 60
		for i := range companies {
			cik := fmt.Sprint(i)
			r.own(cik, company("name"))
			r.Put("company-stats", contracts.Item{"pk": text("COMPANY#" + cik), "companyName": text("name"), "sector": text("Energy"),
				"profileVersion": contracts.VersionAt(time.Now().Add(time.Hour)).Value(), "profileMapping": text("clear:companyName=name,sector=sector")})
			r.Put("entries", contracts.Item{"id": text(cik), "title": text("name"),
				"sourceVersion": contracts.VersionAt(time.Now().Add(time.Hour)).Value(), "sourceMapping": text("tombstone:title=name?")})
		}
		r.start()
		time.Sleep(10 * time.Second)
		into := &findings{}
		cfg := r.config(true, into)
		cfg.Rate = 1
		cfg.VerifyTimeout = 10 * time.Minute
		begun := time.Now()
		result, err := must(reconcile.New(cfg)).Run(r.Context())
		if err != nil || result.Total(reconcile.Ahead) == 0 || result.NotRepaired > 0 {
			r.Fatalf("result %+v, %v", result, err)
		}
		if took := time.Since(begun); took < companies*time.Second {
			r.Errorf("%d stamps at one a second took %v: %+v", companies, took, result)
		}
	})
}
