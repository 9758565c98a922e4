// Stands in for parts of Monaco that others import although nothing here ever opens them: the two
// diff editors, the hovers for colours and inlay hints, and the controller of "paste as".
class Absent {
  constructor() {
    throw new Error("This build of the editor leaves that part out");
  }
}

class DiffEditorWidget extends Absent {}
class MultiDiffEditorWidget extends Absent {}
class ColorHoverParticipant extends Absent {}
class InlayHintsHover extends Absent {}
class CopyPasteController extends Absent {
  // The clipboard asks for it before every paste and goes on without.
  static get() {
    return null;
  }
}

export { ColorHoverParticipant, CopyPasteController, DiffEditorWidget, InlayHintsHover, MultiDiffEditorWidget };
