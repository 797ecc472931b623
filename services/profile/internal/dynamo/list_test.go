package dynamo_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/profile/internal/dynamo"
)

// Whatever is deleted, and whatever else comes and goes between two pages,
// every company that lives throughout is on exactly one page, and every page
// but the last is full.
func TestPagesHaveEveryCompanyOnce(t *testing.T) {
	r := newRig(t)
	known := map[string]bool{} // stored; true while live
	store := func(cik string, live bool) {
		if was, ok := known[cik]; ok && was == live {
			return
		}
		known[cik] = live
		item := contracts.Item{"cik": text(cik), "version": number(1)}
		if live {
			item["name"] = text("company " + cik)
		} else {
			item["deleted"] = contracts.Bool(true)
		}
		r.World.Put(t, item)
	}
	rapid.Check(t, func(rt *rapid.T) {
		for i, live := range rapid.SliceOfN(rapid.Bool(), 0, 60).Draw(rt, "live") {
			store(fmt.Sprint(i), live)
		}
		throughout := maps.Clone(known)
		limit := rapid.IntRange(1, 30).Draw(rt, "limit")
		seen := map[string]int{}
		after := ""
		for {
			page, err := r.Companies(t.Context(), limit, after)
			if err != nil {
				rt.Fatal(err)
			}
			if len(page.Companies) > limit || len(page.Companies) < limit && page.Next != "" {
				rt.Fatalf("%d companies on a page of %d, next %q", len(page.Companies), limit, page.Next)
			}
			for _, c := range page.Companies {
				seen[c.CIK]++
				if c.Profile.Name != "company "+c.CIK {
					rt.Fatalf("%+v", c)
				}
			}
			if after = page.Next; after == "" {
				break
			}
			if rapid.IntRange(0, 3).Draw(rt, "something happens") == 0 {
				cik := fmt.Sprint(rapid.IntRange(0, 59).Draw(rt, "to"))
				store(cik, !known[cik])
				delete(throughout, cik)
			}
		}
		for cik, times := range seen {
			if times > 1 {
				rt.Fatalf("%s is on %d pages", cik, times)
			}
			if live, ok := throughout[cik]; ok && !live {
				rt.Fatalf("%s is deleted, and listed", cik)
			}
		}
		for cik, live := range throughout {
			if live && seen[cik] != 1 {
				rt.Fatalf("%s lives, and is on %d pages", cik, seen[cik])
			}
		}
	})
}

// A desert of tombstones costs each request no more than its share, and is
// crossed.
func TestPagesOfTombstonesAreBounded(t *testing.T) {
	r := newRig(t)
	for i := range 4500 {
		r.World.Put(t, contracts.Item{"cik": text(fmt.Sprint(i)), "version": number(1), "deleted": contracts.Bool(true)})
	}
	r.World.Put(t, contracts.Item{"cik": text("oasis"), "version": number(1), "name": text("Oasis")})
	for limit, wantScans := range map[int]int64{1: 20, 500: 5} {
		var found []string
		after, requests := "", 0
		for {
			r.Engine.ResetRequests()
			page, err := r.Companies(t.Context(), limit, after)
			if err != nil {
				t.Fatal(err)
			}
			scans := int64(0)
			for _, n := range r.Engine.Requests() {
				scans += n
			}
			if scans > wantScans {
				t.Fatalf("one page of %d took %d scans", limit, scans)
			}
			for _, c := range page.Companies {
				found = append(found, c.CIK)
			}
			requests++
			if after = page.Next; after == "" {
				break
			}
		}
		if !slices.Equal(found, []string{"oasis"}) || requests < 3 || requests > 5 {
			t.Errorf("pages of %d: found %v by %d requests", limit, found, requests)
		}
	}
}

func TestPageWithUnreadable(t *testing.T) {
	r := newRig(t)
	r.World.Put(t, contracts.Item{"cik": text("1"), "name": text("One")})
	r.World.Put(t, contracts.Item{"cik": text("2"), "name": number(2)})
	r.World.Put(t, contracts.Item{"cik": text("3"), "name": text("Three"), "deleted": text("no")})
	page, err := r.Companies(t.Context(), 10, "")
	if err != nil || len(page.Companies) != 2 || !slices.Equal(page.Unreadable, []string{"2"}) || page.Next != "" {
		t.Errorf("%+v %v", page, err)
	}
}

func TestReady(t *testing.T) {
	r := newRig(t)
	if err := r.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	elsewhere := r.Publication
	elsewhere.Table = "companies-elsewhere"
	if err := dynamo.New(dynamo.Config{Client: r.Database, Publication: elsewhere}).Ready(t.Context()); err == nil {
		t.Error("a table that does not exist is ready")
	}
}

// barren is a table of items so large that a scan returns after one of them
// (1 MB, AWS, "Scan"), none of which is a company.
type barren struct {
	dynamo.API
	scans int
}

func (b *barren) Scan(_ context.Context, in *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	b.scans++
	return &dynamodb.ScanOutput{ScannedCount: 1, LastEvaluatedKey: map[string]types.AttributeValue{
		"cik": &types.AttributeValueMemberS{Value: fmt.Sprint(b.scans)},
	}}, nil
}

func TestPagesOfLargeItemsAreBounded(t *testing.T) {
	r := newRig(t)
	b := &barren{}
	page, err := dynamo.New(dynamo.Config{Client: b, Publication: r.Publication}).Companies(t.Context(), 10, "")
	if err != nil || b.scans != 20 || page.Next != "20" {
		t.Errorf("%d scans, next %q, %v", b.scans, page.Next, err)
	}
}
