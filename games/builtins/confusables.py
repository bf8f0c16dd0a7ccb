"""Letters that look like a Latin one, for the hardened word rule. Printed in docs/writing-games.md.

Compatibility forms (full-width, mathematical, circled letters, ligatures) are not here: Unicode's own normalisation
folds them. Nor are digits: leetspeak is left alone, since "4" in a word is seen by everyone.
"""

_TABLE = {
    "A": "АΑᎪᗅꓮ",
    "B": "ВΒᏴꓐ",
    "C": "СᏟꓚ",
    "D": "ᎠĐÐꓓ",
    "E": "ЕΕᎬꓰ",
    "F": "ϜꓝҒ",
    "G": "ԌᏀꓖ",
    "H": "НΗᎻꓧĦ",
    "I": "ІΙӀꓲ",
    "J": "ЈᎫꓙ",
    "K": "КΚᏦꓗҚ",
    "L": "ᏞꓡŁ",
    "M": "МΜᎷꓟ",
    "N": "Νꓠ",
    "O": "ОΟՕꓳØ",
    "P": "РΡᏢꓑ",
    "Q": "Ԛ",
    "R": "ᎡᏒꓣƦ",
    "S": "ЅᏚꓢՏ",
    "T": "ТΤᎢꓔŦ",
    "U": "Սꓴ",
    "V": "ѴᏙꓦ",
    "W": "ԜᎳꓪ",
    "X": "ХΧꓫ",
    "Y": "УΥҮꓬ",
    "Z": "ΖᏃꓜƵ",
    "a": "аαɑᴀ",
    "b": "ЬьƅʙᏏɓ",
    "c": "сᴄ",
    "d": "ԁđɗɖᴅꓒ",
    "e": "еєεɛҽᴇ",
    "f": "ƒғꜰ",
    "g": "ɡցɢǥɠ",
    "h": "һհħʜɦ",
    "i": "іιıɩɪɨᎥ",
    "j": "јϳʝɉᴊ",
    "k": "кκĸқᴋƙ",
    "l": "ӏłʟɫɭƚ",
    "m": "мᴍɱ",
    "n": "пηոռɴɳɲ",
    "o": "оοσօøᴏ",
    "p": "рρᴘƥ",
    "q": "ԛզɋ",
    "r": "гʀɾɼɽᴦ",
    "s": "ѕꜱʂ",
    "t": "тτŧᴛƭʈ",
    "u": "υսᴜʉ",
    "v": "νѵᴠʋ",
    "w": "ԝωѡᴡɯ",
    "x": "хχ",
    "y": "уγүʏƴ",
    "z": "ᴢʐʑƶ",
}

#: Code point → Latin letter.
LETTERS: dict[int, str] = {ord(other): letter for letter, others in _TABLE.items() for other in others}

#: What people write for an apostrophe or a hyphen inside a word.
MARKS: dict[int, str] = {
    **dict.fromkeys(map(ord, "’‘‛ʼʻʽʹˈ՚ꞌ′`´"), "'"),
    **dict.fromkeys(map(ord, "‐‑‒–−⁃"), "-"),
}

#: White letters on black, which normalisation leaves: 🅐 … 🅩, 🅰 … 🆉.
SYMBOLS: dict[int, str] = {start + i: chr(ord("A") + i) for start in (0x1F150, 0x1F170) for i in range(26)}
