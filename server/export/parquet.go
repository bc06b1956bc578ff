package export

import (
	"fmt"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"

	"aovuon/gateway/measure"
)

// groupRows bounds a row group, and with it what is held in memory: some 4 MB.
const groupRows = 64 << 10

// parquetRow is a row as the file has it: the tags are the schema of FORMAT.md.
type parquetRow struct {
	Time     int64    `parquet:"time,delta,timestamp(millisecond:utc)"`
	Place    string   `parquet:"place,dict"`
	Quantity string   `parquet:"quantity,dict"`
	Unit     string   `parquet:"unit,dict"`
	Value    *float64 `parquet:"value,optional"`
	Quality  string   `parquet:"quality,dict"`
	Gateway  string   `parquet:"gateway,dict"`
	Sensor   string   `parquet:"sensor,dict"`
	Signed   bool     `parquet:"signed"`
}

// About is what a Parquet file says of itself.
type About struct {
	From, To time.Time
	Zone     *time.Location // of the farm: in it days begin
}

type parquetTable struct {
	w      *parquet.GenericWriter[parquetRow]
	rows   []parquetRow
	values []float64
	group  int
}

// batchRows is how many rows are handed on at once.
const batchRows = 1024

// NewParquet returns a Parquet file, compressed with Snappy, which every reader knows.
func NewParquet(w io.Writer, a About) Table {
	return &parquetTable{
		w: parquet.NewGenericWriter[parquetRow](w, parquet.Compression(&parquet.Snappy), parquet.CreatedBy("aovuon", "1", ""),
			parquet.KeyValueMetadata("aovuon.format", "aovuon/readings/1"),
			parquet.KeyValueMetadata("aovuon.zone", a.Zone.String()),
			parquet.KeyValueMetadata("aovuon.from", a.From.In(a.Zone).Format(timeLayout)),
			parquet.KeyValueMetadata("aovuon.to", a.To.In(a.Zone).Format(timeLayout))),
		rows: make([]parquetRow, 0, batchRows), values: make([]float64, 0, batchRows),
	}
}

// Write implements Table.
func (t *parquetTable) Write(r Row) error {
	row := parquetRow{
		Time: r.Time.UnixMilli(), Place: r.Place, Quantity: string(r.Quantity), Unit: r.Unit, Quality: r.Quality.String(), Gateway: r.Gateway,
		Sensor: r.Sensor, Signed: r.Signed,
	}
	if r.Quality != measure.Fault {
		t.values = append(t.values, r.Value)
		row.Value = &t.values[len(t.values)-1]
	}
	if t.rows = append(t.rows, row); len(t.rows) < batchRows {
		return nil
	}
	return t.flush()
}

// flush hands on what has gathered, and ends a row group that is full.
func (t *parquetTable) flush() error {
	if _, err := t.w.Write(t.rows); err != nil {
		return fmt.Errorf("export: parquet: %w", err)
	}
	t.group += len(t.rows)
	t.rows, t.values = t.rows[:0], t.values[:0]
	if t.group < groupRows {
		return nil
	}
	t.group = 0
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("export: parquet: %w", err)
	}
	return nil
}

// Close implements Table.
func (t *parquetTable) Close() error {
	if err := t.flush(); err != nil {
		return err
	}
	if err := t.w.Close(); err != nil {
		return fmt.Errorf("export: parquet: %w", err)
	}
	return nil
}
