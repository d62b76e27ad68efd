"""Events of the transcriber become commands of this service: event in, command out."""
