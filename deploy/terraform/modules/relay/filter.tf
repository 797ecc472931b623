# What Lambda can be told to leave out. Its filters look at one record's values
# and cannot compare the old image with the new one, so that records in which no
# shared attribute changed reach the relay, which drops them. What they can do is
# to leave out what is not this contract's at all: other items of a single-table
# design, by their keys and by match. Every pattern asks for something to be
# there; none asks for something to be missing, which is where a filter that
# means something else than it says would lose a delete. Test
# TestLambdaIsToldOfEveryChange of test/system/architecture holds them against
# what the relay would do.
locals {
  # "{{" is a brace, and "subject" alone stands for {subject}.
  templates = { for name, text in var.publication.key : name => replace(replace(text == "subject" ? "{subject}" : text, "{{", "\u0001"), "}}", "\u0002") }
  literals  = { for name, text in local.templates : name => replace(replace(regex("^[^{]*", text), "\u0001", "{"), "\u0002", "}") }

  # A match on a key attribute says at least as much as its template. Conditions
  # are kept as JSON: texts and objects are no values of one type.
  key_conditions = { for name, type in var.table.key_types : name => (
    try(var.publication.match[name].equals, null) != null ? jsonencode([var.publication.match[name].equals]) :
    try(var.publication.match[name].prefix, null) != null ? jsonencode([{ prefix = var.publication.match[name].prefix }]) :
    type != "S" ? jsonencode([{ exists = true }]) :
    !strcontains(local.templates[name], "{") ? jsonencode([local.literals[name]]) :
    local.literals[name] != "" ? jsonencode([{ prefix = local.literals[name] }]) :
    jsonencode([{ exists = true }])
  ) if contains(keys(local.templates), name) }

  key_pattern = { for name, condition in local.key_conditions : name => { (var.table.key_types[name]) = jsondecode(condition) } }

  # One further attribute: an item comes to the contract or leaves it, so that
  # either image may be the one that matches; and its type is not known. Where
  # somebody who knows nothing of versions took the item out, neither image of
  # the relay's stamp matches, and the stamp is what tells subscribers: stamped
  # items come through whatever else they are.
  others  = sort([for name, m in var.publication.match : name if !contains(keys(var.table.key_types), name) && m.exists == null])
  matched = length(local.others) == 0 ? null : local.others[0]
  matched_condition = local.matched == null ? "[]" : (
    var.publication.match[local.matched].equals != null ? jsonencode([var.publication.match[local.matched].equals]) : jsonencode([{ prefix = var.publication.match[local.matched].prefix }])
  )

  # Five, as many as a mapping has without asking AWS for more.
  filters = local.matched == null ? [jsonencode({ dynamodb = { Keys = local.key_pattern } })] : concat(
    flatten([
      for image in ["NewImage", "OldImage"] : [
        for type in ["S", "N"] : jsonencode({ dynamodb = merge(
          { Keys = local.key_pattern },
          { (image) = { (local.matched) = { (type) = jsondecode(local.matched_condition) } } },
        ) })
      ]
    ]),
    [jsonencode({ dynamodb = { Keys = local.key_pattern, NewImage = { (local.stamped) = { N = [{ exists = true }] } } } })],
  )
}
