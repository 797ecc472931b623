package dynamostream

// FromStream is what the poller makes of a record of GetRecords.
var FromStream = fromStream
