"""From text to a tree that mirrors it, and back: the grammar, mistakes of form, the formatter.

Specs in JSON and YAML become nodes with places here, too.

For others: `fmt`, `grammar`, `json_form`, `mistakes`, `names`, `nodes`, `parse`, `scan`, `tables`,
`textmate`, `tree`, `yaml_form`.
"""
