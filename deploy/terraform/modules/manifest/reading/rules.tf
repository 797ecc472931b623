# The unsafe combinations that lint refuses and that can be told without taking
# templates apart or knowing contracts. Each has the rule's name in lint, what is
# wrong where, and the way out.

locals {
  # Every name of the bookkeeping that goes with a version attribute; the fourth
  # is a tombstone's expiry.
  version_attributes = distinct(concat(
    [for p in try(local.raw.publishes, []) : try(p.version_attribute, "version")],
    flatten([for s in try(local.raw.subscribes, []) : [for r in try(s.replicas, []) : try(r.version_attribute, "")]]),
  ))
  bookkeeping = { for v in local.version_attributes : v => (
    v == "version" ? ["version", "stampedVersion", "deleted", "expiresAt", "mapping"] :
    endswith(v, "Version") && length(v) > 7 ? concat([v], [for part in ["StampedVersion", "Deleted", "ExpiresAt", "Mapping"] : "${trimsuffix(v, "Version")}${part}"]) :
    [for part in ["", "Stamped", "Deleted", "ExpiresAt", "Mapping"] : "${v}${part}"]
  ) }

  replicas = flatten([for i, s in local.subscribes : [for j, r in s.replicas : merge(r, {
    at           = "subscribes[${i}].replicas[${j}]"
    subscription = i
    declared     = contains(keys(local.tables), coalesce(r.table, "-"))
  })]])
  copies = [for r in local.replicas : r if r.kind != "function"]

  # What each replica's table is, where it is declared: an empty table else, of
  # which no rule finds anything wrong but that it is not there.
  nowhere   = { name = "", partition_key = { name = "", type = "S" }, sort_key = null, stream = false, ttl_attribute = null, indexes = [] }
  table_of  = { for r in local.copies : r.at => try(local.tables[r.table], local.nowhere) }
  ttl_of    = { for r in local.copies : r.at => coalesce(local.table_of[r.at].ttl_attribute, "-") }
  keys_of   = { for name, t in local.tables : name => concat([t.partition_key.name], t.sort_key == null ? [] : [t.sort_key.name]) }
  index_of  = { for r in local.copies : r.at => [for ix in local.table_of[r.at].indexes : ix if ix.name == coalesce(r.index, "-")] }
  tables_in = concat(local.publishes[*].table, [for r in local.copies : coalesce(r.table, "-")])

  # The key attributes that a replica's key has to make.
  wanted_key = { for r in local.copies : r.at => (
    r.kind == "fan-out" ? [for ix in local.index_of[r.at] : ix.partition_key.name] : try(local.keys_of[r.table], [])
  ) }

  # The attributes that the indexes of a table have as keys and that can be empty.
  index_keys = { for name, t in local.tables : name => flatten([for ix in t.indexes : [
    for k in concat([ix.partition_key], ix.sort_key == null ? [] : [ix.sort_key]) : k.name if k.type != "N"
  ]]) }

  # Item replicas that a subscription's fan-outs can copy from.
  copied_by_fan_outs = [for i, s in local.subscribes : distinct(flatten([for r in s.replicas : [for from in values(r.set) : from.attribute] if r.kind == "fan-out"]))]
  anchors = [for i, s in local.subscribes : [for r in s.replicas : r if r.kind == "item" && r.create &&
    length(setsubtract(local.copied_by_fan_outs[i], [for from in values(r.set) : from.attribute if !from.omit_empty])) == 0
  ]]

  fields = {
    top     = ["service", "tables", "publishes", "subscribes"]
    table   = ["name", "partition_key", "sort_key", "indexes", "stream", "ttl_attribute"]
    index   = ["name", "partition_key", "sort_key", "projection", "include"]
    publish = ["contract", "topic", "table", "key", "subject", "match", "attributes", "version_attribute", "dead_letter_queue", "checkpoint_table"]
    sub     = ["contract", "topic", "attributes", "queue", "replicas", "control_table"]
    queue   = ["name", "dead_letter_queue", "visibility_timeout", "handler_timeout", "max_receive_count"]
    replica = ["table", "index", "function", "subject", "key", "set", "version_attribute", "on_delete", "create", "atomic", "second_pass"]
  }
  written = concat(
    [{ at = "the manifest", has = keys(local.raw), can = local.fields.top }],
    [for i, t in try(local.raw.tables, []) : { at = "tables[${i}]", has = keys(t), can = local.fields.table }],
    flatten([for i, t in try(local.raw.tables, []) : [for j, ix in try(t.indexes, []) : { at = "tables[${i}].indexes[${j}]", has = keys(ix), can = local.fields.index }]]),
    [for i, p in try(local.raw.publishes, []) : { at = "publishes[${i}]", has = keys(p), can = local.fields.publish }],
    [for i, s in try(local.raw.subscribes, []) : { at = "subscribes[${i}]", has = keys(s), can = local.fields.sub }],
    [for i, s in try(local.raw.subscribes, []) : { at = "subscribes[${i}].queue", has = keys(try(s.queue, {})), can = local.fields.queue }],
    flatten([for i, s in try(local.raw.subscribes, []) : [for j, r in try(s.replicas, []) : { at = "subscribes[${i}].replicas[${j}]", has = keys(r), can = local.fields.replica }]]),
  )
  queues = concat(local.publishes[*].dead_letter_queue, [for s in local.subscribes : s.queue.name], [for s in local.subscribes : s.queue.dead_letter_queue])

  of_manifest = concat(
    [for w in local.written : { rule = "unknown-field", at = w.at, says = "no such field: ${join(", ", setsubtract(w.has, w.can))}. It would be ignored, and its default be in force; write one of ${join(", ", w.can)}" }
    if length(setsubtract(w.has, w.can)) > 0],
    [for what, names in {
      table                         = local.declared[*].name
      "contract that is published"  = local.publishes[*].contract
      "contract subscribed to"      = local.subscribes[*].contract
      "topic that is published to"  = local.publishes[*].topic
      "topic that is subscribed to" = local.subscribes[*].topic
      "queue or dead-letter queue"  = local.queues
    } : { rule = "twice", at = "the manifest", says = "a ${what} is declared twice, and one would overwrite the other; give each its own name" } if length(distinct(names)) < length(names)],
  )

  of_publications = flatten([for i, p in local.publishes : [for c in [
    { rule = "unknown-table", broken = !contains(keys(local.tables), p.table), says = "${p.table} is no table of this manifest; declare it, or correct the name" },
    { rule = "stream-off", broken = !try(local.tables[p.table].stream, true), says = "the stream of ${p.table} is off, so no change would ever be seen; write stream: true at the table" },
    { rule = "source-ttl", broken = contains(keys(local.tables), p.table) && coalesce(try(local.tables[p.table].ttl_attribute, null), "-") != local.bookkeeping[p.version_attribute][3],
    says = "tombstones expire by ${local.bookkeeping[p.version_attribute][3]}, which is not the TTL attribute of ${p.table}, so they would stay for ever; write it as the table's ttl_attribute" },
    { rule = "key-template", broken = contains(keys(local.tables), p.table) && sort(keys(p.key)) != sort(try(local.keys_of[p.table], [])), says = "key: does not name the key attributes of ${p.table} and no others; write a template for each" },
    { rule = "version-attribute", broken = contains(keys(p.key), p.version_attribute), says = "${p.version_attribute} is a key attribute, and a version changes; name another version_attribute" },
    { rule = "bookkeeping", broken = length(setintersection(values(p.attributes), local.bookkeeping[p.version_attribute])) > 0, says = "a bookkeeping attribute would be shared; name the attributes that hold the values" },
    { rule = "match", broken = length(setintersection(keys(p.match), local.bookkeeping[p.version_attribute])) > 0 || !alltrue([for m in values(p.match) : length(keys(m)) == 1]),
    says = "a match is one condition on an attribute of the service's own; write one of prefix, equals and exists" },
    { rule = "checkpoint-table", broken = p.checkpoint_table == p.table || try(local.tables[p.checkpoint_table].partition_key, { name = "id", type = "S" }) != { name = "id", type = "S" } || try(local.tables[p.checkpoint_table].sort_key, null) != null,
    says = "checkpoints are in a table of their own with the partition key id, a string; ${p.checkpoint_table} is none" },
  ] : { rule = c.rule, at = "publishes[${i}]", says = c.says } if c.broken]])

  of_subscriptions = flatten([for i, s in local.subscribes : [for c in [
    { rule = "no-replica", broken = length(s.replicas) == 0, says = "there is no replica, so every change would be received and dropped; say where copies are kept, or leave the subscription out" },
    { rule = "no-attribute", broken = length(s.attributes) == 0, says = "no attribute is subscribed to, so no change would arrive; list the contract's attributes that the service copies" },
    { rule = "control-table", broken = (
      contains(concat(local.tables_in, local.publishes[*].checkpoint_table), s.control_table) ||
      try(local.tables[s.control_table].partition_key, { name = "id", type = "S" }) != { name = "id", type = "S" } ||
      try(local.tables[s.control_table].sort_key, null) != null ||
      try(coalesce(local.tables[s.control_table].ttl_attribute, "-"), "expiresAt") != "expiresAt"
    ), says = "canaries are noted in a table of their own, with the partition key id, a string, and the TTL attribute expiresAt; ${s.control_table} is none" },
  ] : { rule = c.rule, at = "subscribes[${i}]", says = c.says } if c.broken]])

  of_functions = [for r in local.replicas : { rule = "function-fields", at = r.at, says = "a function replica is the service's own code, which nothing here tells what to do; leave ${join(", ", setsubtract(r.fields, ["function"]))} out" }
  if r.kind == "function" && length(setsubtract(r.fields, ["function", "subject"])) > 0]

  of_copies = flatten([for r in local.copies : [for c in [
    { rule = "unknown-table", broken = !r.declared, says = "${coalesce(r.table, "nothing")} is no table of this manifest; declare it, or correct the name" },
    { rule = "version-attribute", broken = r.version_attribute == "" || contains(concat(keys(r.key), try(local.keys_of[r.table], [])), r.version_attribute), says = "the copy's version has no attribute of its own that is no key; name one after the contract, like profileVersion" },
    { rule = "local-key", broken = r.kind == "item" && length(r.key) == 0, says = "nothing says which local item is the subject's; write key: with a template for each key attribute" },
    { rule = "key-template", broken = r.declared && length(r.key) > 0 && length(local.wanted_key[r.at]) > 0 && sort(keys(r.key)) != sort(local.wanted_key[r.at]), says = "key: names other attributes than ${join(", ", local.wanted_key[r.at])}; write a template for each of these" },
    { rule = "empty-mapping", broken = length(r.set) == 0, says = "nothing is copied; say which contract attribute feeds each local one" },
    { rule = "not-subscribed", broken = length(setsubtract([for from in values(r.set) : from.attribute], local.subscribes[r.subscription].attributes)) > 0,
    says = "${join(", ", setsubtract([for from in values(r.set) : from.attribute], local.subscribes[r.subscription].attributes))} is copied and not subscribed to, so its changes would not arrive and the copy be silently stale; add it to the subscription's attributes" },
    { rule = "bookkeeping", broken = length(setintersection(keys(r.set), local.bookkeeping[r.version_attribute])) > 0, says = "a copy would overwrite the bookkeeping of ${r.version_attribute}; name the local attribute otherwise" },
    { rule = "key-written", broken = length(setintersection(keys(r.set), concat(keys(r.key), try(local.keys_of[r.table], [])))) > 0, says = "a copy is written to a key attribute, and DynamoDB refuses every write of the item; name the local attribute otherwise" },
    { rule = "empty-index-key", broken = length([for name, from in r.set : name if !from.omit_empty && contains(setsubtract(try(local.index_keys[r.table], []), local.wanted_key[r.at]), name)]) > 0,
    says = "a copy that is an index's key may be an empty string, and DynamoDB refuses the whole write then; write {attribute: ..., omit_empty: true}" },
    { rule = "copied-ttl", broken = contains(keys(r.set), local.ttl_of[r.at]), says = "a copy is written to the TTL attribute of ${local.table_of[r.at].name}, and its value would delete the item; name the local attribute otherwise" },
    { rule = "fan-out-index", broken = r.kind == "fan-out" && r.declared && length(local.index_of[r.at]) == 0, says = "${local.table_of[r.at].name} has no index ${coalesce(r.index, "-")}; declare it, with the attribute that holds the subject as its partition key" },
    { rule = "fan-out-alone", broken = r.kind == "fan-out" && length(local.anchors[r.subscription]) == 0, says = "no item replica of this subscription holds all that its fan-outs copy: new local items could take their copy from nowhere, and a crash half-way would never heal; add one that may create and sets all of it, without omit_empty" },
    { rule = "fan-out-create", broken = r.kind == "fan-out" && r.create, says = "a fan-out writes what the index finds and never creates an item; leave create out" },
    { rule = "second-pass", broken = r.kind == "fan-out" ? r.second_pass_seconds < 1 || r.second_pass_seconds > 900 || floor(r.second_pass_seconds) != r.second_pass_seconds : r.second_pass_seconds != 0,
    says = "a second pass is a fan-out's, after whole seconds from 1s to 15m; correct second_pass, or leave it out" },
    { rule = "atomic", broken = r.kind != "fan-out" && r.atomic, says = "an item is always written as a whole; leave atomic out" },
    { rule = "on-delete", broken = !contains(["clear", "tombstone"], r.on_delete), says = "${r.on_delete} is nothing a delete can do; write clear or tombstone" },
    { rule = "tombstone-own-item", broken = r.on_delete == "tombstone" && (r.kind == "fan-out" || !r.create || length([for name in local.tables_in : name if name == coalesce(r.table, "-")]) > 1),
    says = "TTL removes a tombstone, and with it whatever else the item holds, and this table is not this copy's alone; use on_delete: clear" },
    { rule = "tombstone-ttl", broken = r.on_delete == "tombstone" && r.kind == "item" && r.declared && local.ttl_of[r.at] != local.bookkeeping[r.version_attribute][3],
    says = "tombstones expire by ${local.bookkeeping[r.version_attribute][3]}, which is not the table's TTL attribute, so they would stay for ever; write it as the table's ttl_attribute, or use on_delete: clear" },
  ] : { rule = c.rule, at = r.at, says = c.says } if c.broken]])

  problems = concat(local.of_manifest, local.of_publications, local.of_subscriptions, local.of_functions, local.of_copies)
}
