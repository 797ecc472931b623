package dynamodb

import (
	"strconv"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// recovery is a table's point-in-time recovery setting. It is kept and
// described; there is nothing to restore from.
type recovery struct {
	enabled bool
	since   time.Time
	days    int
}

const maxRecoveryDays = 35 // "PointInTimeRecoverySpecification"

type updateContinuousBackupsInput struct {
	TableName                        string
	PointInTimeRecoverySpecification *recoverySpecification
}

type recoverySpecification struct {
	PointInTimeRecoveryEnabled bool
	RecoveryPeriodInDays       *int
}

type describeContinuousBackupsInput struct {
	TableName string
}

type continuousBackupsOutput struct {
	ContinuousBackupsDescription continuousBackups
}

type continuousBackups struct {
	ContinuousBackupsStatus        string
	PointInTimeRecoveryDescription recoveryDescription
}

type recoveryDescription struct {
	PointInTimeRecoveryStatus  string
	RecoveryPeriodInDays       int     `json:",omitempty"`
	EarliestRestorableDateTime float64 `json:",omitempty"`
	LatestRestorableDateTime   float64 `json:",omitempty"`
}

func (s *Service) updateContinuousBackups(body []byte) (any, error) {
	var in updateContinuousBackupsInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	spec := in.PointInTimeRecoverySpecification
	if spec == nil {
		return nil, required("pointInTimeRecoverySpecification")
	}
	days := maxRecoveryDays
	if spec.RecoveryPeriodInDays != nil {
		days = *spec.RecoveryPeriodInDays
		if days < 1 || days > maxRecoveryDays {
			return nil, parameter("'"+strconv.Itoa(days)+"'", "pointInTimeRecoverySpecification.recoveryPeriodInDays", "Member must have a value from 1 to 35")
		}
	}
	t, err := s.backupTable(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := t.lock(); err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	now := s.cfg.Now()
	switch {
	case !spec.PointInTimeRecoveryEnabled:
		t.recovery = recovery{}
	case t.recovery.enabled:
		t.recovery.days = days
	default:
		t.recovery = recovery{enabled: true, since: now, days: days}
	}
	return t.describeRecovery(now), nil
}

func (s *Service) describeContinuousBackups(body []byte) (any, error) {
	var in describeContinuousBackupsInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	t, err := s.backupTable(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := t.rlock(); err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	return t.describeRecovery(s.cfg.Now()), nil
}

// backupTable finds a table with the error these two operations have.
func (s *Service) backupTable(name string) (*table, error) {
	if err := checkTableName(name); err != nil {
		return nil, err
	}
	t := s.lookup(name)
	if t == nil {
		return nil, wire.Errorf("TableNotFoundException", "Table not found: %s", tableName(name))
	}
	return t, nil
}

func (t *table) describeRecovery(now time.Time) continuousBackupsOutput {
	d := recoveryDescription{PointInTimeRecoveryStatus: "DISABLED"}
	if t.recovery.enabled {
		earliest := now.AddDate(0, 0, -t.recovery.days)
		if earliest.Before(t.recovery.since) {
			earliest = t.recovery.since
		}
		d = recoveryDescription{
			PointInTimeRecoveryStatus:  "ENABLED",
			RecoveryPeriodInDays:       t.recovery.days,
			EarliestRestorableDateTime: seconds(earliest),
			LatestRestorableDateTime:   seconds(now),
		}
	}
	return continuousBackupsOutput{continuousBackups{ContinuousBackupsStatus: "ENABLED", PointInTimeRecoveryDescription: d}}
}
