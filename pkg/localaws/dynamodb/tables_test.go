package dynamodb_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

func TestTableLifecycle(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	_, err := r.CreateTable(t.Context(), things("things"))
	wantError(t, err, "ResourceInUseException", "Table already exists: things")

	// The SDK's own waiter has to be content.
	if err := sdk.NewTableExistsWaiter(r).Wait(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("things")}, time.Minute); err != nil {
		t.Fatal(err)
	}
	d, err := r.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("things")})
	if err != nil {
		t.Fatal(err)
	}
	table := d.Table
	if table.TableStatus != types.TableStatusActive || !table.CreationDateTime.Equal(r.clock.Now()) || aws.ToString(table.TableArn) != "arn:aws:dynamodb:us-east-1:000000000000:table/things" {
		t.Errorf("described as %s, %v, %s", table.TableStatus, table.CreationDateTime, aws.ToString(table.TableArn))
	}
	if len(table.GlobalSecondaryIndexes) != 2 || len(table.LocalSecondaryIndexes) != 1 || aws.ToString(table.LatestStreamArn) == "" {
		t.Errorf("described with %d global and %d local indexes, stream %q", len(table.GlobalSecondaryIndexes), len(table.LocalSecondaryIndexes), aws.ToString(table.LatestStreamArn))
	}

	if _, err := r.UpdateTable(t.Context(), &sdk.UpdateTableInput{TableName: aws.String("things"), DeletionProtectionEnabled: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	_, err = r.DeleteTable(t.Context(), &sdk.DeleteTableInput{TableName: aws.String("things")})
	wantError(t, err, "ValidationException", "protected against deletion")
	if _, err := r.UpdateTable(t.Context(), &sdk.UpdateTableInput{TableName: aws.String("things"), DeletionProtectionEnabled: aws.Bool(false)}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.DeleteTable(t.Context(), &sdk.DeleteTableInput{TableName: aws.String("things")}); err != nil {
		t.Fatal(err)
	}
	_, err = r.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("things")})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: things not found")
	_, err = r.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("things"), Key: item{"p": s("a"), "s": s("b")}})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found")
}

func TestListTablesPages(t *testing.T) {
	r := newRig(t)
	want := []string{"aaa", "bbb", "ccc", "ddd", "eee"}
	for _, name := range want {
		r.create(t, &sdk.CreateTableInput{TableName: &name, AttributeDefinitions: defs("p", "S"), KeySchema: key("p"), BillingMode: types.BillingModePayPerRequest})
	}
	var got []string
	pages := sdk.NewListTablesPaginator(r, &sdk.ListTablesInput{Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page.TableNames...)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestCreateTableRefuses(t *testing.T) {
	global := func(ix types.GlobalSecondaryIndex) func(*sdk.CreateTableInput) {
		return func(in *sdk.CreateTableInput) { in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{ix} }
	}
	rows := map[string]struct {
		change func(*sdk.CreateTableInput)
		part   string
	}{
		"a key attribute that is not defined": {func(in *sdk.CreateTableInput) { in.KeySchema = key("p", "zz") }, "Some index key attributes are not defined in AttributeDefinitions"},
		"an attribute that is in no key": {func(in *sdk.CreateTableInput) {
			in.AttributeDefinitions = defs("p", "S", "s", "S", "g", "S", "h", "S", "l", "N", "x", "S")
		}, "Number of attributes in KeySchema does not exactly match"},
		"an attribute defined twice":        {func(in *sdk.CreateTableInput) { in.AttributeDefinitions = defs("p", "S", "p", "N") }, "Duplicate AttributeName"},
		"one name for both keys":            {func(in *sdk.CreateTableInput) { in.KeySchema = key("p", "p") }, "have the same name"},
		"a range key alone":                 {func(in *sdk.CreateTableInput) { in.KeySchema = key("p", "s")[1:] }, "not a HASH key type"},
		"a short table name":                {func(in *sdk.CreateTableInput) { in.TableName = aws.String("ab") }, "Invalid table/index name"},
		"an attribute type no key can have": {func(in *sdk.CreateTableInput) { in.AttributeDefinitions = defs("p", "BOOL") }, "Member must satisfy enum value set"},
		"provisioned without throughput":    {func(in *sdk.CreateTableInput) { in.BillingMode = types.BillingModeProvisioned }, "must both be specified when BillingMode is PROVISIONED"},
		"throughput while paying per request": {func(in *sdk.CreateTableInput) {
			in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)}
		}, "BillingMode is PAY_PER_REQUEST"},
		"a stream without a view":              {func(in *sdk.CreateTableInput) { in.StreamSpecification.StreamViewType = "" }, "StreamViewType is required"},
		"two indexes of one name":              {func(in *sdk.CreateTableInput) { in.GlobalSecondaryIndexes[1].IndexName = aws.String("by-g") }, "Duplicate index name: by-g"},
		"no global index in the list":          {func(in *sdk.CreateTableInput) { in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{} }, "List of GlobalSecondaryIndexes is empty"},
		"an index without projection":          {global(types.GlobalSecondaryIndex{IndexName: aws.String("idx"), KeySchema: key("g"), Projection: &types.Projection{}}), "Unknown ProjectionType"},
		"INCLUDE without attributes":           {global(types.GlobalSecondaryIndex{IndexName: aws.String("idx"), KeySchema: key("g"), Projection: project("INCLUDE")}), "NonKeyAttributes is not specified"},
		"ALL with attributes":                  {global(types.GlobalSecondaryIndex{IndexName: aws.String("idx"), KeySchema: key("g"), Projection: project("ALL", "x")}), "NonKeyAttributes is specified"},
		"a local index of another hash key":    {func(in *sdk.CreateTableInput) { in.LocalSecondaryIndexes[0].KeySchema = key("g", "l") }, "not the table's hash key"},
		"a local index without a range key":    {func(in *sdk.CreateTableInput) { in.LocalSecondaryIndexes[0].KeySchema = key("p") }, "does not have a range key"},
		"a local index on a table without one": {func(in *sdk.CreateTableInput) { in.KeySchema = key("p") }, "Table KeySchema does not have a range key"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			in := things("things")
			row.change(in)
			_, err := r.CreateTable(t.Context(), in)
			wantError(t, err, "ValidationException", row.part)
		})
	}
}

func TestUpdateTableAddsAndRemovesAnIndex(t *testing.T) {
	r := newRig(t)
	in := things("things")
	r.create(t, in)
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "k": s("x")})
	r.put(t, "things", item{"p": s("a"), "s": s("2"), "k": n("7")}) // not of the index's type
	r.put(t, "things", item{"p": s("a"), "s": s("3")})
	r.put(t, "things", item{"p": s("a"), "s": s("4"), "k": s("")}) // no key can be empty

	create := &sdk.UpdateTableInput{
		TableName:            in.TableName,
		AttributeDefinitions: defs("k", "S"),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("by-k"), KeySchema: key("k"), Projection: project("ALL"),
		}}},
	}
	if _, err := r.UpdateTable(t.Context(), create); err != nil {
		t.Fatal(err)
	}
	// An update of something else does not bring the unfit ones in.
	for _, rng := range []string{"2", "4"} {
		if _, err := r.UpdateItem(t.Context(), &sdk.UpdateItemInput{TableName: in.TableName, Key: item{"p": s("a"), "s": s(rng)}, UpdateExpression: aws.String("SET x = :x"), ExpressionAttributeValues: item{":x": n("1")}}); err != nil {
			t.Fatal(err)
		}
	}
	out, err := r.Scan(t.Context(), &sdk.ScanInput{TableName: in.TableName, IndexName: aws.String("by-k")})
	if err != nil {
		t.Fatal(err)
	}
	if out.Count != 1 || out.Items[0]["s"].(*types.AttributeValueMemberS).Value != "1" {
		t.Errorf("the new index holds %v, want the one item with a string k", out.Items)
	}
	_, err = r.UpdateTable(t.Context(), create)
	wantError(t, err, "ValidationException", "already exists")

	remove := &sdk.UpdateTableInput{TableName: in.TableName, GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("by-k")}}}}
	gone, err := r.UpdateTable(t.Context(), remove)
	if err != nil {
		t.Fatal(err)
	}
	if l := len(gone.TableDescription.AttributeDefinitions); l != 5 {
		t.Errorf("%d attribute definitions are left, want the index's own gone and 5 left", l)
	}
	_, err = r.UpdateTable(t.Context(), remove)
	wantError(t, err, "ResourceNotFoundException", "Index: by-k not found")
}

func TestUpdateTableTurnsTheStreamOffAndOn(t *testing.T) {
	r := newRig(t)
	in := things("things")
	r.create(t, in)
	on := &sdk.UpdateTableInput{TableName: in.TableName, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly}}
	off := &sdk.UpdateTableInput{TableName: in.TableName, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(false)}}

	_, err := r.UpdateTable(t.Context(), on)
	wantError(t, err, "ValidationException", "already has an enabled stream")
	first, err := r.UpdateTable(t.Context(), off)
	if err != nil {
		t.Fatal(err)
	}
	if first.TableDescription.StreamSpecification != nil || first.TableDescription.LatestStreamArn == nil {
		t.Errorf("with its stream off the table is described with %+v and latest stream %v", first.TableDescription.StreamSpecification, first.TableDescription.LatestStreamArn)
	}
	_, err = r.UpdateTable(t.Context(), off)
	wantError(t, err, "ValidationException", "no stream to disable")
	second, err := r.UpdateTable(t.Context(), on)
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(second.TableDescription.LatestStreamArn) == aws.ToString(first.TableDescription.LatestStreamArn) {
		t.Error("the stream turned on again has the old ARN")
	}
}

func TestTimeToLiveSettings(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	set := func(attribute string, on bool) error {
		_, err := r.UpdateTimeToLive(t.Context(), &sdk.UpdateTimeToLiveInput{TableName: aws.String("things"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: &on}})
		return err
	}
	wantError(t, set("expiresAt", false), "ValidationException", "TimeToLive is already disabled")
	if err := set("expiresAt", true); err != nil {
		t.Fatal(err)
	}
	wantError(t, set("expiresAt", true), "ValidationException", "TimeToLive is already enabled")
	wantError(t, set("other", true), "ValidationException", "TimeToLive is active on a different AttributeName")
	d, err := r.DescribeTimeToLive(t.Context(), &sdk.DescribeTimeToLiveInput{TableName: aws.String("things")})
	if err != nil {
		t.Fatal(err)
	}
	if d.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusEnabled || aws.ToString(d.TimeToLiveDescription.AttributeName) != "expiresAt" {
		t.Errorf("described as %+v", d.TimeToLiveDescription)
	}
	if err := set("expiresAt", false); err != nil {
		t.Fatal(err)
	}
}

func TestBackupsAndTagsAreKept(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	on := &sdk.UpdateContinuousBackupsInput{TableName: aws.String("things"), PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}}
	if _, err := r.UpdateContinuousBackups(t.Context(), on); err != nil {
		t.Fatal(err)
	}
	b, err := r.DescribeContinuousBackups(t.Context(), &sdk.DescribeContinuousBackupsInput{TableName: aws.String("things")})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus; got != types.PointInTimeRecoveryStatusEnabled {
		t.Errorf("recovery is %s", got)
	}
	_, err = r.DescribeContinuousBackups(t.Context(), &sdk.DescribeContinuousBackupsInput{TableName: aws.String("nothing")})
	wantError(t, err, "TableNotFoundException", "nothing")

	arn := aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/things")
	if _, err := r.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := r.ListTagsOfResource(t.Context(), &sdk.ListTagsOfResourceInput{ResourceArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	if len(tags.Tags) != 1 || aws.ToString(tags.Tags[0].Key) != "b" {
		t.Errorf("tags are %v", tags.Tags)
	}
}

func TestTableChangesThatLackSomethingAreRefused(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	for name, row := range map[string]struct{ operation, body, part string }{
		"a stream neither on nor off": {"UpdateTable", `{"TableName":"things","StreamSpecification":{}}`, "streamEnabled"},
		"a new index whose key only the table defines": {"UpdateTable",
			`{"TableName":"things","GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"by-s","KeySchema":[{"AttributeName":"s","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`, "Keys: [s]"},
		"a list of tables from no table": {"ListTables", `{"ExclusiveStartTableName":"a/b"}`, "Invalid table/index name"},
	} {
		t.Run(name, func(t *testing.T) {
			code, message := r.post(t, row.operation, row.body)
			if code != "ValidationException" || !contains(message, row.part) {
				t.Errorf("got %s: %s, want a ValidationException with %s", code, message, row.part)
			}
		})
	}
}

func TestWhatItDoesNotKnowIsRefusedByName(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	rows := map[string]struct{ operation, body, code, part string }{
		"an operation":                {"ExecuteStatement", `{}`, "UnknownOperationException", "ExecuteStatement"},
		"a legacy put condition":      {"PutItem", `{"TableName":"things","Item":{},"Expected":{}}`, "ValidationException", `"Expected"`},
		"legacy update actions":       {"UpdateItem", `{"TableName":"things","Key":{},"AttributeUpdates":{}}`, "ValidationException", `"AttributeUpdates"`},
		"legacy key conditions":       {"Query", `{"TableName":"things","KeyConditions":{}}`, "ValidationException", `"KeyConditions"`},
		"a legacy filter":             {"Scan", `{"TableName":"things","ScanFilter":{}}`, "ValidationException", `"ScanFilter"`},
		"a legacy projection":         {"GetItem", `{"TableName":"things","Key":{},"AttributesToGet":["a"]}`, "ValidationException", `"AttributesToGet"`},
		"a legacy logical operator":   {"DeleteItem", `{"TableName":"things","Key":{},"ConditionalOperator":"OR"}`, "ValidationException", `"ConditionalOperator"`},
		"a table setting":             {"CreateTable", `{"TableName":"things","ResourcePolicy":"{}"}`, "ValidationException", `"ResourcePolicy"`},
		"a parameter inside a batch":  {"BatchGetItem", `{"RequestItems":{"things":{"Keys":[],"AttributesToGet":[]}}}`, "ValidationException", `"AttributesToGet"`},
		"a parameter inside an index": {"UpdateTable", `{"TableName":"things","GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"idx","WarmThroughput":{}}}]}`, "ValidationException", `"WarmThroughput"`},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			code, message := r.post(t, row.operation, row.body)
			if code != row.code || !contains(message, row.part) {
				t.Errorf("got %s: %s, want %s with %s", code, message, row.code, row.part)
			}
		})
	}
}

func TestCountsAndSizesFollowTheItems(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	check := func(when string, items, size, byG, byH, byL int64) {
		t.Helper()
		d, err := r.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: aws.String("things")})
		if err != nil {
			t.Fatal(err)
		}
		got := []int64{aws.ToInt64(d.Table.ItemCount), aws.ToInt64(d.Table.TableSizeBytes)}
		for _, ix := range d.Table.GlobalSecondaryIndexes {
			got = append(got, aws.ToInt64(ix.IndexSizeBytes))
		}
		got = append(got, aws.ToInt64(d.Table.LocalSecondaryIndexes[0].IndexSizeBytes))
		if d := cmp.Diff([]int64{items, size, byG, byH, byL}, got); d != "" {
			t.Errorf("%s: items, bytes, bytes of by-g, by-h and by-l (-want +got):\n%s", when, d)
		}
	}
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "g": s("g"), "h": s("h"), "l": n("1"), "x": s("12345")})
	check("one item", 1, 2+2+2+2+3+6, 17, 6, 7)
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "g": s("ggg"), "l": n("2")})
	check("moved and shrunk", 1, 2+2+4+3, 11, 0, 7)
	if _, err := r.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: aws.String("things"), Key: thingKey(1)}); err != nil {
		t.Fatal(err)
	}
	check("deleted", 0, 0, 0, 0, 0)
}
