"""The words that drawn pictures are filled with."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def lines(text: str) -> tuple[str, ...]:
    """Return the lines of a text, stripped."""
    return tuple(line.strip() for line in text.strip().splitlines())


COMMON = {
    "en": _words(
        """the the the the of of of and and to to in in a a is that for it as was with be by on not he his but at are
        this have from or had an they which one we all were her there been their will would each about how up out them
        then many some these so other into has more two like him see time could no make than first people over such
        between system given number following value function during under students department information required
        process order hereby officer committee shall must within before after section rules general date university
        examination application office public school year result data method large small theory case also however
        therefore where when both same every different against point change water energy force government report"""
    ),
    "de": _words(
        """der die das und und in zu den von mit ist im für nicht eine als auch es an werden aus er hat dass sie nach wird
        bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein
        wurde Verwaltung Universität Antrag Prüfung Aufgabe Frist Unterlagen gemäß Vorlesung Ergebnis Funktion Beispiel
        Kapitel Abteilung Sitzung Bescheid Straße Gesetz Verfahren Zeitraum"""
    ),
    "es": _words(
        """de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha este sí porque
        esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante todos uno les ni contra
        otros universidad examen solicitud departamento función resultado ejemplo capítulo reunión documento problema
        gobierno proceso sistema número artículo"""
    ),
    "hi": _words(
        """और का की के में है यह को से पर एक नहीं भी हैं कि जो तो कर इस हो था ने लिए अपने कुछ साथ वह सभी दिनांक विषय सूचना
        विद्यालय परीक्षा प्रश्न उत्तर अंक छात्र शिक्षा विभाग कार्यालय आदेश सरकार भारत नियम समय निम्नलिखित अधिकारी आवेदन
        पत्र संख्या महोदय कृपया अनुसार द्वारा तथा एवं प्राप्त जानकारी बैठक प्रधानाचार्य जिला राज्य"""
    ),
    "zh": _words(
        """的 一 是 在 不 了 有 和 人 这 中 大 为 上 个 国 我 以 要 他 时 来 用 们 生 到 作 地 于 出 就 分 对 成 会 可 主 发 年
        通知 学校 考试 问题 学生 系统 方法 研究 工作 部门 规定 文件 数据 函数 结果 管理 单位 关于 进行 根据 以下 会议 时间"""
    ),
}
SUBJECTS = lines(
    """
    Physics
    Engineering Mathematics II
    Data Structures and Algorithms
    Organic Chemistry
    Digital Electronics
    Operating Systems
    Business Law
    Microeconomics
    Thermodynamics
    English Literature
    History of Europe
    Computer Networks
    Control Systems
    Biology
    Database Management Systems
    Signals and Systems
    Linear Algebra
    Financial Accounting
    Environmental Science
    Statistics
    Political Science
    Machine Learning
    Strength of Materials
    Philosophy
    Electrical Machines
    Civics
    """
)
TOPICS = lines(
    """
    binary search trees
    the second law of thermodynamics
    compact operators
    photosynthesis
    monetary policy
    the French Revolution
    Fourier series
    normal forms
    a cantilever beam
    Bayes' theorem
    the nervous system
    deadlock avoidance
    transistor amplifiers
    supply and demand
    eigenvalues of a symmetric matrix
    the Treaty of Versailles
    error correcting codes
    chemical equilibrium
    gradient descent
    virtual memory
    the rule of law
    packet switching
    water management
    Laplace transforms
    carbon compounds
    the circular flow of income
    finite automata
    leave encashment
    annual sports day
    hostel fees
    revision of pay
    tender for laboratory equipment
    vaccination of staff
    winter vacation
    """
)
TITLE_FORMS = lines(
    """
    Introduction to {topic}
    {subject}
    Notes on {topic}
    {subject}: {topic}
    On {topic}
    Why {topic} matters
    A short course in {subject}
    Methods and results
    Applications of {topic}
    Further remarks
    The theory of {topic}
    """
)
FIRST_NAMES = _words(
    """Anna Ravi Maria Wei Thomas Priya Ahmed Elena John Fatima Carlos Sunita Peter Li Amit Julia Samuel Deepa Ivan Grace
    Arjun Hannah Mohammed Sofia Kwame Ingrid Rajesh Chen Lucia David"""
)
LAST_NAMES = _words(
    """Sharma Miller Rodriguez Patel Schmidt Okafor Wang Johnson Nair Kowalski Iyer Brown Fernandez Singh Weber Adeyemi Zhang
    Taylor Reddy Rossi Khan Andersen Mehta Clarke Joshi Novak Das Murphy Gupta Moreau"""
)
PLACES = _words(
    """Springfield Lonar Kothapur Altstadt Riverton Nagarpur Westbrook Valdoria Pinehill Chandanpur Lakeview Hochberg Marwa
    Eastfield Suryanagar Bellavista Northgate Kandivara Oakdale Rampura"""
)
INSTITUTION_FORMS = lines(
    """
    University of {place}
    {place} Institute of Technology
    {name} Memorial College, {place}
    Government College of Engineering, {place}
    {place} Public School
    Municipal Corporation of {place}
    Department of {subject}, University of {place}
    Office of the District Education Officer, {place}
    Board of Secondary Education, {place}
    Ministry of Education
    {place} City Council
    {name} & {name} Ltd.
    St. {name}'s Senior Secondary School
    National Institute of {subject}
    Central Bank of {place}
    Faculty of {subject}
    {place} District Hospital
    State Electricity Board
    """
)
MONTHS = _words("January February March April May June July August September October November December")
QUESTION_FORMS = lines(
    """
    Define {topic}. Give two examples.
    Explain {topic} with a neat labelled diagram.
    What is meant by {topic}?
    Differentiate between {topic} and {other}.
    State and prove the theorem on {topic}.
    Calculate the value for {topic} if x = {number} and y = {number}.
    Write short notes on {topic}.
    Discuss the role of {topic} in {other}.
    Show that {topic} implies {other}.
    Derive an expression for {topic}.
    List any {number} features of {topic}.
    How does {topic} differ from {other}? Justify your answer.
    Find the probability that {topic} exceeds {number}.
    Sketch {topic} and mark all important points.
    Evaluate, to two decimal places, {topic}.
    Describe briefly {topic}.
    True or false: {topic} is a special case of {other}.
    Which of the following is correct about {topic}?
    Write a program in C that computes {topic}.
    """
)
CODE_NAMES = _words("value total node index result buffer count items left right root queue user config path data")
CODE_FORMS = lines(
    """
    def {name}_{other}({name}, {other}):
    for {name} in range({number}):
    if {name} > {number}:
    return {name} + {other}
    {name} = {other}.get({number})
    {name} += {number}
    # {name} of the {other}
    print("{name}:", {other})
    while {name} != {other}:
    {name}.append({other}[{number}])
    int {name} = {other}[{number}];
    public void {name}({other} x) {{
    const {name} = await {other}.load({number});
    import {name}.{other}
    }}
    """
)
