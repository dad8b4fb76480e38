"""The words that ask for an answer or announce one, and those of a verdict, in sixteen languages.

No word list of a library serves: those of stop words lack "answer" and "TODO", and hold "no" and "not", which answer.
"""

import re

# What announces an answer, a question and a part of one.
ANSWERS = (
    "answers answer ans solutions solution response explanation reply antwort antworten lösung lösungen réponse "
    "réponses respuesta respuestas solución soluciones risposta risposte soluzione resposta respostas solução "
    "antwoord antwoorden oplossing odpowiedź odpowiedzi rozwiązanie cevap cevaplar yanıt çözüm ответ ответы "
    "решение תשובה תשובות התשובה פתרון תשובתי الجواب جواب الإجابة إجابة الاجابة اجابة الحل حل उत्तर जवाब हल 答案 回答 "
    "解答 答 解 答え 답변 정답 답 풀이"
)
SEVERAL_ANSWERS = {"answers", "solutions", "antworten", "lösungen", "réponses", "respuestas", "soluciones", "risposte"}
SEVERAL_ANSWERS |= {"respostas", "antwoorden", "odpowiedzi", "cevaplar", "ответы", "решения", "תשובות", "פתרונות"}
QUESTIONS = (
    "question questions q inline exercise ex problem task subquestion frage aufgabe exercice pregunta ejercicio "
    "domanda esercizio problema questão pergunta exercício vraag opgave pytanie zadanie soru вопрос задача "
    "задание שאלה السؤال سؤال प्रश्न 问题 問題 题 第 問 設問 문제 질문"
)
PARTS = (
    "part section item statement sentence teil aussage partie affirmation parte inciso deel część bölüm şık часть "
    "пункт סעיף חלק الجزء جزء भाग"
)
# What else a request for an answer is made of: alone or with the words above it says nothing.
REQUESTS = {
    "English": "todo tbd tba fixme xxx wip pending your my our the this to for of in here below above goes go be write "
    "type enter put insert add fill please edit replace text code markdown latex cell box double click start end and "
    "with own complete implement continue blank empty placeholder implementation notimplementederror raise pass "
    "comment comments space provided students student it is an answered work etc",
    "German": "deine dein sie ihre ihr meine mein hier bitte schreiben schreibe eingeben einfügen eintragen ergänzen "
    "text code die der das folgt zur zu",
    "French": "votre vos ta ton ma mon ici écrire écrivez écris saisir saisissez insérer insérez compléter complétez "
    "à faire la le de code texte",
    "Spanish": "tu su mi aquí escribe escriba escribir escribí completa completar inserta insertar por hacer la el "
    "código texto pendiente",
    "Italian": "tua la mia vostra qui scrivi scrivere scrivete inserisci inserire completa completare da fare codice "
    "testo il di",
    "Portuguese": "sua tua minha aqui escreva escrever insira inserir preencha complete fazer o código texto",
    "Dutch": "jouw je uw mijn hier schrijf vul in typ code tekst het",
    "Polish": "twoja twój swoją moja tutaj tu wpisz napisz uzupełnij do zrobienia kod tekst",
    "Turkish": "cevabınız cevabınızı cevabım cevabı buraya burada yazın yazınız yaz giriniz girin kod yapılacak",
    "Russian": "ваш мой твой здесь сюда тут напишите введите впишите вставьте напиши текст код сделать",
    "Hebrew": "תשובתך תשובתי תשובתכם שלך שלי שלכם כאן פה כתבו כתוב כתבי רשמו הכניסו את השלימו לעשות קוד טקסט",
    "Arabic": "إجابتك اجابتك جوابك إجابتي هنا اكتب أكتب اكتبوا ضع أدخل نص كود",
    "Hindi": "अपना आपका मेरा यहाँ यहां लिखें लिखिए दर्ज करें",
    "Chinese": "你的 您的 我的 在 此处 这里 此 请 在此 写 填写 输入 待完成 待办 代码 的 处 下方 作答",
    "Japanese": "あなたの 私の ここに ここ に を 書いて 記入 入力 して ください 下さい 書く 未記入 の コード",
    "Korean": "여기에 당신의 나의 을 를 작성하세요 입력하세요 쓰세요 작성 입력 적으세요 코드 여기",
}
VERDICTS = (
    "true false t f correct incorrect wrong right yes no wahr falsch richtig ja nein vrai faux oui non verdadero "
    "falso sí vero verdadeiro sim não waar onwaar nee prawda fałsz tak nie doğru yanlış evet hayır верно неверно "
    "да нет правда ложь נכון שגוי לא כן صحيح خطأ نعم لا सही गलत सत्य असत्य 正确 错误 对 错 正しい 誤り 참 거짓"
)
PHRASES = {
    "no answer",
    "type markdown and latex α 2",
    "type markdown and latex alpha 2",
    "nothing yet",
    "not answered yet",
}

ANSWER_WORDS, QUESTION_WORDS = set(ANSWERS.split()), set(QUESTIONS.split())
LABEL_WORDS = ANSWER_WORDS | QUESTION_WORDS | set(PARTS.split())
VERDICT_WORDS = set(VERDICTS.split())
EMPTY_WORDS = LABEL_WORDS.union({"a"}, *(words.split() for words in REQUESTS.values()))
# Chinese, Japanese and Korean write their words without spaces between them.
UNSPACED = re.compile(
    "|".join(sorted((re.escape(word) for word in EMPTY_WORDS if ord(word[0]) > 0x2E80), key=len, reverse=True))
)


def is_empty(word: str) -> bool:
    """Return whether `word`, in lower case, is one that announces an answer or asks for one."""
    word = word.lstrip("\\")
    return word in EMPTY_WORDS or (ord(word[0]) > 0x2E80 and not UNSPACED.sub("", word))
