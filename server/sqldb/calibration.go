package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/calibration"
)

// SaveCalibrations implements project.CalibrationStore.
func (d *DB) SaveCalibrations(ctx context.Context, entries []calibration.Entry) error {
	return d.update(ctx, "save calibrations", func(tx *sql.Tx) error {
		erased, err := erasedDocs(ctx, tx)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if erased[erasedCalibration{e.Gateway, e.Key}] { // drawn again: the batch still has the name
				e.Body = calibration.Erase(e.Body)
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO calibration
				(gateway, doc, position, ordinal, sensor, quantity, time_ms, boot, uptime_ms, received_ms, body)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (gateway, doc) DO NOTHING`,
				e.Gateway, e.Key, e.Position, e.Ordinal, e.Sensor, string(e.Quantity), toMillis(e.Time), e.Boot, e.Uptime.Milliseconds(),
				e.Received.UnixMilli(), []byte(e.Body))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// DateCalibrations implements project.CalibrationStore.
func (d *DB) DateCalibrations(ctx context.Context, gateway, boot string, began time.Time) error {
	err := d.exec(ctx, `UPDATE calibration SET time_ms = uptime_ms + $3 WHERE gateway = $1 AND boot = $2 AND time_ms = 0`,
		gateway, boot, began.UnixMilli())
	if err != nil {
		return fmt.Errorf("sqldb: date calibrations: %w", err)
	}
	return nil
}

// ForgetCalibrations empties the projection, so that it is drawn anew.
func (d *DB) ForgetCalibrations(ctx context.Context) error {
	if err := d.exec(ctx, `DELETE FROM calibration`); err != nil {
		return fmt.Errorf("sqldb: forget calibrations: %w", err)
	}
	return nil
}

const calibrationColumns = `SELECT gateway, doc, position, ordinal, sensor, quantity, time_ms, boot, uptime_ms, received_ms, body FROM calibration `

// Calibrations returns the newest entries of a sensor, newest first; those nobody has dated yet come first. An empty sensor
// asks for the documents of a gateway that cannot be read.
func (d *DB) Calibrations(ctx context.Context, gateway, sensor string, limit int) ([]calibration.Entry, error) {
	return d.calibrations(ctx, calibrationColumns+`WHERE gateway = $1 AND sensor = $2
		ORDER BY CASE WHEN time_ms = 0 THEN 1 ELSE 0 END DESC, time_ms DESC, position DESC, ordinal DESC LIMIT $3`, gateway, sensor, limit)
}

// CalibrationAt returns the calibration that was in force for a quantity of a sensor at a time: the newest one before it.
// ok is false when there was none.
func (d *DB) CalibrationAt(ctx context.Context, gateway, sensor string, q measure.Quantity, at time.Time) (e calibration.Entry, ok bool, err error) {
	list, err := d.calibrations(ctx, calibrationColumns+`WHERE gateway = $1 AND sensor = $2 AND quantity = $3 AND time_ms > 0 AND time_ms <= $4
		ORDER BY time_ms DESC, position DESC, ordinal DESC LIMIT 1`, gateway, sensor, string(q), at.UnixMilli())
	if err != nil || len(list) == 0 {
		return e, false, err
	}
	return list[0], true, nil
}

func (d *DB) calibrations(ctx context.Context, query string, args ...any) ([]calibration.Entry, error) {
	out, err := calibrationsOf(ctx, d.read, query, args...)
	if err != nil {
		return nil, fmt.Errorf("sqldb: calibrations: %w", err)
	}
	return out, nil
}

func calibrationsOf(ctx context.Context, q querier, query string, args ...any) (out []calibration.Entry, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var e calibration.Entry
		var at, uptime, received int64
		var body []byte
		if err := scan(&e.Gateway, &e.Key, &e.Position, &e.Ordinal, &e.Sensor, &e.Quantity, &at, &e.Boot, &uptime, &received, &body); err != nil {
			return err
		}
		e.Time, e.Uptime = fromMillis(at), time.Duration(uptime)*time.Millisecond
		e.Received, e.Body = fromMillis(received), string(body)
		out = append(out, e)
		return nil
	}, query, args...)
	return out, err
}
