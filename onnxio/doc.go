// Package onnxio reads and writes ONNX files: bytes to [graph.Model] and back.
// It and the packages under it are the only ones that see protobuf.
//
// # Reading
//
// IR versions 1 to 13 and every operator are read: this package knows the
// structure of a model, not its operators. What the IR does not model (training
// information, quantisation annotations, device configurations, fields of later
// versions, declarations of values that do not exist) is kept as wire bytes in
// the Unknown field of the entity it was found in. Names of the domains
// "ai.onnx" and "" mean the same domain; nodes carry "" in the IR.
//
// A file is refused with an [*Error] when it is no ONNX model, when a name is
// defined twice (in subgraphs: also when it shadows one outside), used but never
// defined, when nodes form a cycle, and when the data of a tensor does not fit
// its dimensions. Nodes out of evaluation order are sorted. External data is
// loaded from the model's folder and nowhere else.
//
// # Writing
//
// Fields are written in the order of their numbers, so the same model gives the
// same bytes. A model that was read and not changed is written as the bytes it
// was read from: either the writer's own encoding of it is the same, or the
// reader has kept the file (see [graph.Source]).
//
// Provenance of a node, [graph.Node.From] and [graph.Node.Region], is stored as
// the metadata properties "spikingir.origin", "spikingir.pass" and
// "spikingir.region". Metadata on nodes are part of ONNX since IR version 10.
// In a file of an older version all metadata below the model lie in the property
// "spikingir.nodes" of the model, a JSON document, from which the reader puts
// them back. What it cannot put back is a warning ([graph.Source.Warnings]).
//
// # What only an unchanged model keeps
//
// Unknown fields inside of metadata entries and of a tensor's segment, and the
// type of an output that is an input at the same time and declares another one,
// have no place in the IR. An unchanged model keeps them; of a changed one they
// are lost, and [ReadOptions.Warn] hears of the latter when reading.
//
// Other modules may import this package: it is stable, as package spikingir says.
package onnxio
