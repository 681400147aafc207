/** As much of JSON Schema as report/schema.ts uses. A field that an object does not name is a fault here, too. */
import type { Schema } from '../../../src/report/schema.ts'

type Values = Readonly<Record<string, unknown>>

/** What is wrong with a value, each with its place. */
export function faultsIn(value: unknown, schema: Schema, root: Schema, at = ''): readonly string[] {
  if (typeof schema['$ref'] === 'string') {
    const name = schema['$ref'].replace('#/$defs/', '')
    const found = (root['$defs'] as Readonly<Record<string, Schema>>)[name]
    return found === undefined ? [`${at}: no ${name}`] : faultsIn(value, found, root, at)
  }
  if (Array.isArray(schema['anyOf'])) {
    const each = (schema['anyOf'] as readonly Schema[]).map((it) => faultsIn(value, it, root, at))
    return each.some((faults) => faults.length === 0) ? [] : each.flat()
  }
  if (Array.isArray(schema['enum']))
    return schema['enum'].includes(value) ? [] : [`${at}: ${JSON.stringify(value)} is none of them`]
  switch (schema['type']) {
    case 'object':
      return object(value, schema, root, at)
    case 'array':
      if (!Array.isArray(value)) return [`${at}: no array`]
      return value.flatMap((it, i) => faultsIn(it, schema['items'] as Schema, root, `${at}[${i}]`))
    case 'integer':
    case 'number':
      return number(value, schema, at)
    default:
      return scalar(value, schema, at)
  }
}

function scalar(value: unknown, { type, format }: Schema, at: string): readonly string[] {
  if (type === 'null') return value === null ? [] : [`${at}: not null`]
  if (format === 'date-time' && Number.isNaN(Date.parse(String(value)))) return [`${at}: no time`]
  return typeof value === type ? [] : [`${at}: no ${type}`]
}

function object(value: unknown, schema: Schema, root: Schema, at: string): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${at}: no object`]
  const fields = value as Values
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>
  const others = schema['additionalProperties'] as Schema | undefined
  const required = (schema['required'] ?? []) as readonly string[]
  const missing = required.filter((name) => !(name in fields))
  return [
    ...missing.map((name) => `${at}.${name}: missing`),
    ...Object.entries(fields).flatMap(([name, it]) => {
      const known = properties[name] ?? others
      return known === undefined
        ? [`${at}.${name}: not in the schema`]
        : faultsIn(it, known, root, `${at}.${name}`)
    }),
  ]
}

function number(value: unknown, schema: Schema, at: string): readonly string[] {
  const {
    type,
    minimum = Number.NEGATIVE_INFINITY,
    maximum = Number.POSITIVE_INFINITY,
  } = schema as {
    type: string
    minimum?: number
    maximum?: number
  }
  if (typeof value !== 'number' || (type === 'integer' && !Number.isInteger(value)))
    return [`${at}: no ${type}`]
  return value >= minimum && value <= maximum ? [] : [`${at}: ${value} is out of range`]
}
