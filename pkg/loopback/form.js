
// Without scripts the button does it.
document.forms[0].submit();
