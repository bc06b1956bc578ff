// Reads a Parquet file with a reader that is not ours and prints its schema, its notes and its rows as JSON.
const [, , hyparquet, file] = process.argv
const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import(hyparquet)
const buffer = await asyncBufferFromFile(file)
const about = await parquetMetadataAsync(buffer)
const rows = await parquetReadObjects({ file: buffer })
const plain = (key, value) => typeof value === 'bigint' ? Number(value) : value
process.stdout.write(JSON.stringify({
  schema: about.schema.slice(1).map(c => ({ name: c.name, type: c.type, optional: c.repetition_type === 'OPTIONAL', logical: c.logical_type?.type ?? '' })),
  notes: Object.fromEntries(about.key_value_metadata.map(n => [n.key, n.value])),
  groups: about.row_groups.map(g => Number(g.num_rows)),
  rows,
}, plain))
