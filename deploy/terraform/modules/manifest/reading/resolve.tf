# What a manifest says, with the defaults of the Go package manifest filled in.
# They stand here and nowhere else among the roots; testdata/resolved.json, which
# Go writes, holds them equal.

locals {
  raw     = yamldecode(var.text)
  service = local.raw.service

  # Every duration of the manifest as seconds; -1 for a text that is none, which no
  # setting takes. They are written 30s, 1m30s, 12h.
  durations = distinct(concat(
    ["30s"],
    flatten([for s in try(local.raw.subscribes, []) : concat(
      [for name in ["visibility_timeout", "handler_timeout"] : try(tostring(s.queue[name]), [])],
      [for r in try(s.replicas, []) : try(tostring(r.second_pass), [])],
    )])
  ))
  seconds = { for text in local.durations : text => !can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", text)) ? -1 :
    sum([for p in regexall("([0-9]+(?:\\.[0-9]+)?)(ms|s|m|h)", text) : tonumber(p[0]) * local.unit_seconds[p[1]]])
  }
  unit_seconds = { h = 3600, m = 60, s = 1, ms = 0.001 }

  declared = [for t in try(local.raw.tables, []) : {
    name          = t.name
    partition_key = t.partition_key
    sort_key      = try(t.sort_key, null)
    stream        = try(t.stream, false)
    ttl_attribute = try(t.ttl_attribute, null)
    indexes = [for ix in try(t.indexes, []) : {
      name          = ix.name
      partition_key = ix.partition_key
      sort_key      = try(ix.sort_key, null)
      projection    = try(ix.projection, "all")
      include       = try(ix.include, [])
    }]
  }]
  # Of two tables of one name the first: the rule "twice" says so.
  tables = { for name, same in { for t in local.declared : t.name => t... } : name => same[0] }

  publishes = [for p in [for p in try(local.raw.publishes, []) : merge(p, {
    topic = try(p.topic, replace(p.contract, "/[^A-Za-z0-9]/", "-"))
    })] : {
    contract          = p.contract
    topic             = p.topic
    table             = p.table
    key               = p.key
    match             = try(p.match, {})
    attributes        = try(p.attributes, {})
    version_attribute = try(p.version_attribute, "version")
    dead_letter_queue = try(p.dead_letter_queue, "${local.service}-${p.topic}-relay-dlq")
    checkpoint_table  = try(p.checkpoint_table, "${local.service}-relay-checkpoints")
    expires_at        = local.bookkeeping[try(p.version_attribute, "version")][3]
  }]
  publications = { for contract, same in { for p in local.publishes : p.contract => p... } : contract => same[0] }

  # A queue's name follows from the topic's, and the dead-letter queue's from the
  # queue's.
  named = [for s in [for s in try(local.raw.subscribes, []) : merge(s, {
    topic = try(s.topic, replace(s.contract, "/[^A-Za-z0-9]/", "-"))
    })] : merge(s, {
    queue = merge({
      name               = "${local.service}-${s.topic}"
      visibility_timeout = "30s"
      handler_timeout    = null # two thirds of the visibility timeout
      max_receive_count  = 10
    }, try(s.queue, {}))
  })]
  subscribes = [for s in local.named : {
    contract      = s.contract
    topic         = s.topic
    attributes    = try(s.attributes, [])
    control_table = try(s.control_table, "${local.service}-replication-control")
    filter_policy = jsonencode({ audience = ["all", local.service], changed = sort(try(s.attributes, [])) })
    queue = merge({ dead_letter_queue = "${s.queue.name}-dlq" }, s.queue, {
      visibility_seconds = local.seconds[s.queue.visibility_timeout]
      # To the nanosecond, as Go divides.
      handler_seconds = s.queue.handler_timeout == null ? floor(local.seconds[s.queue.visibility_timeout] * 1e9 * 2 / 3) / 1e9 : local.seconds[s.queue.handler_timeout]
    })
    replicas = [for r in try(s.replicas, []) : {
      kind     = can(r.function) ? "function" : can(r.index) ? "fan-out" : "item"
      function = try(r.function, null)
      fields   = keys(r)
      table    = try(r.table, null)
      index    = try(r.index, null)
      key      = try(r.key, {})
      set = { for name, from in try(r.set, {}) : name => {
        attribute  = try(from.attribute, from)
        omit_empty = try(from.omit_empty, false)
      } }
      version_attribute = try(r.version_attribute, "")
      on_delete         = try(r.on_delete, "clear")
      create            = try(r.create, !can(r.function) && !can(r.index))
      atomic            = try(r.atomic, false)
      second_pass_seconds = (!can(r.second_pass) ? (can(r.index) && !can(r.function) ? 10 : 0) :
        local.seconds[r.second_pass]
      )
    }]
  }]
  subscriptions = { for contract, same in { for s in local.subscribes : s.contract => s... } : contract => same[0] }
}
