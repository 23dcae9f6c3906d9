package policy

import (
	"slices"
	"strconv"

	"primum/rules/class"
)

// maxItemDepth bounds how many items lie above one another.
const maxItemDepth = 32

// items reads the tree, written nested, by parent, or both.
func (b *builder) items() {
	root := b.note(b.w.get("items"), "items")
	if root == nil {
		return
	}
	at := map[string]*written{}
	b.itemsOf(root, "", at)
	b.parents(at)
}

func (b *builder) itemsOf(list *written, parent string, at map[string]*written) {
	for _, w := range list.list {
		it := b.item(w, parent)
		switch {
		case at[it.ID] != nil:
			b.fail(w.get("id"), idSameID, "the item "+quote(it.ID)+" is declared twice", "its first declaration is at line "+strconv.Itoa(at[it.ID].line))
		case slices.ContainsFunc(b.p.Systems, func(s class.System) bool { return s.ID == it.ID }):
			b.fail(w.get("id"), idSameID, quote(it.ID)+" is the product and cannot be an item too", "give the item another id")
		default:
			at[it.ID] = w
			b.p.Items = append(b.p.Items, it)
		}
		if parts := w.get("items"); parts != nil {
			b.itemsOf(parts, it.ID, at)
		}
	}
}

func (b *builder) item(w *written, parent string) class.Item {
	id := w.get("id").str()
	for _, e := range w.entries {
		if e.key != "items" {
			b.note(e.value, "items."+id+"."+e.key)
		}
	}
	it := class.Item{
		ID: id, Parent: parent, Own: class.Level(w.get("class").str()), Paths: w.get("paths").texts(),
		Systems: w.get("products").texts(), Hazards: w.get("hazards").texts(),
		Rationale: class.Rationale{Path: w.get("rationale").str()},
	}
	if p := w.get("parent"); p != nil {
		if parent != "" && p.text != parent {
			b.fail(p, idValue, quote(id)+" is nested in "+quote(parent)+" and names "+quote(p.text)+" as parent", `remove "parent"`)
		}
		it.Parent = p.text
	}
	if controls := w.get("controls"); controls != nil {
		for _, c := range controls.list {
			it.Controls = append(it.Controls, class.Control{Risk: c.get("risk").str(), Class: class.Level(c.get("class").str())})
		}
	}
	if r := w.get("rationale"); r != nil && it.Own == "" {
		b.warn(r, idNoEffect, "the rationale of "+quote(id)+" holds nothing down", "give the item the class it argues for")
	}
	return it
}

// parents checks that every parent and product is there and no item lies above
// itself.
func (b *builder) parents(at map[string]*written) {
	index := make(map[string]int, len(b.p.Items))
	known := make([]string, 0, len(b.p.Items)+len(b.p.Systems))
	for i, it := range b.p.Items {
		index[it.ID] = i
		known = append(known, it.ID)
	}
	var products []string
	for _, s := range b.p.Systems {
		products = append(products, s.ID)
	}
	known = append(known, products...)
	for i := range b.p.Items {
		it := &b.p.Items[i]
		for j, s := range it.Systems {
			if !slices.Contains(products, s) {
				b.fail(at[it.ID].get("products").list[j], idUnknownItem, "there is no product "+quote(s), didYouMean(s, products, `declare it under "products"`))
			}
		}
		if slices.Contains(products, it.Parent) { // the same as no parent, in that product
			if len(it.Systems) == 0 && len(products) > 1 {
				it.Systems = []string{it.Parent}
			}
			it.Parent = ""
		}
		if _, ok := index[it.Parent]; it.Parent != "" && !ok {
			b.fail(at[it.ID].get("parent"), idUnknownItem, "there is no item "+quote(it.Parent), didYouMean(it.Parent, known, "declare it, or remove the parent"))
			it.Parent = ""
		}
	}
	b.circles(index, at)
}

// circles reports each circle of parents once, and items that lie too deep.
func (b *builder) circles(index map[string]int, at map[string]*written) {
	depth := make([]int, len(b.p.Items)) // 0 unknown, -1 on the way, else parents above plus one
	for start := range b.p.Items {
		var way []int
		i, above := start, 0
		for depth[i] == 0 {
			depth[i] = -1
			way = append(way, i)
			parent := b.p.Items[i].Parent
			if parent == "" {
				break
			}
			i = index[parent]
		}
		switch {
		case len(way) == 0:
			continue
		case depth[i] > 0:
			above = depth[i]
		case b.p.Items[way[len(way)-1]].Parent != "":
			id := b.p.Items[i].ID
			b.fail(at[id], idCircle, "the item "+quote(id)+" is a part of itself", "remove one of the parents in the circle")
		}
		for _, item := range slices.Backward(way) {
			above++
			depth[item] = above
			if above == maxItemDepth+1 {
				id := b.p.Items[item].ID
				b.fail(at[id], idTooDeep, "the item "+quote(id)+" lies deeper than "+strconv.Itoa(maxItemDepth)+" levels", "make the tree flatter")
			}
		}
	}
}
